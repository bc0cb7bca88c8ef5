/** The position where a page of a list ended, as an opaque text. The sequence numbers of a list only grow. */
export function encodeCursor(seq: number): string {
  return btoa(String(seq)).replaceAll('=', '');
}

/** The sequence number of a cursor; null for a text that is no cursor. */
export function decodeCursor(cursor: string): number | null {
  try {
    const text = atob(cursor);
    const seq = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : null;
    return Number.isSafeInteger(seq) ? seq : null;
  } catch {
    return null;
  }
}
