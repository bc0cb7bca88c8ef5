/** What this browser remembers; where it may not, for as long as the page is open. */

const memory = new Map();

/** What was stored, or null. @returns {any} */
export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(`rendio.${name}`) ?? 'null');
  } catch {
    return memory.get(name) ?? null;
  }
}

/** Null forgets it. */
export function remember(name, value) {
  memory.set(name, value);
  try {
    if (value === null) localStorage.removeItem(`rendio.${name}`);
    else localStorage.setItem(`rendio.${name}`, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden: the page goes on without.
  }
}

/** A random UUID, also where the page came over plain http and `randomUUID` is missing. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (Number(bytes[6]) & 0x0f) | 0x40;
  bytes[8] = (Number(bytes[8]) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
