/** Codes and names of errors. Messages are not used, because they may contain values. */

/** The error's own `code` (`ENOENT`, `57P03`, `ERR_4007`); null without one. */
export function errorCodeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' && error.code !== '' ? error.code : null;
}

/** The first code of the error and its causes: `fetch` wraps the system's error. */
export function errorCodeInChain(error: unknown): string | null {
  for (let current = error; current instanceof Error; current = current.cause) {
    const code = errorCodeOf(current);
    if (code !== null) return code;
  }
  return null;
}

/** The part of an error that may be logged: its code, else its name. */
export function errorLabel(error: unknown): string {
  return errorCodeOf(error) ?? (error instanceof Error ? error.name : 'unknown');
}
