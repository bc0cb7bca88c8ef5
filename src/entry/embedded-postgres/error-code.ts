/** The `code` of an error of Node or of `pg` (`ENOENT`, `57P03`), or `unknown`. */
export function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return 'unknown';
}
