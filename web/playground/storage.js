/** What this browser remembers, or the open page where it may not. */

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
  const words = Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(16).padStart(8, '0'));
  return words.join('').replace(/^(.{8})(.{4}).(.{3}).(.{3})/, '$1-$2-4$3-8$4-');
}
