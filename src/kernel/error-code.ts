/** What is known of an error without its message, which may quote values. */

/** The error's own `code` (`ENOENT`, `57P03`, `ERR_4007`); null where it has none. */
export function errorCodeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' && error.code !== '' ? error.code : null;
}

/** The first code of the error and its causes: `fetch` wraps the system's error. */
export function errorCodeInChain(error: unknown): string | null {
  for (let link = error; link instanceof Error; link = link.cause) {
    const code = errorCodeOf(link);
    if (code !== null) return code;
  }
  return null;
}

/** What a log line may say of an error: its code, else its name. */
export function errorLabel(error: unknown): string {
  return errorCodeOf(error) ?? (error instanceof Error ? error.name : 'unknown');
}
