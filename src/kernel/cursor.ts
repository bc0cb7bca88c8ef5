/** Where a page of a list ended, as an opaque text; the number behind it only ever grows. */
export function encodeCursor(seq: number): string {
  return btoa(String(seq)).replaceAll('=', '');
}

/** The number behind a cursor; null for what is none of ours. */
export function decodeCursor(cursor: string): number | null {
  try {
    const text = atob(cursor);
    return /^[1-9]\d{0,15}$/.test(text) ? Number(text) : null;
  } catch {
    return null;
  }
}
