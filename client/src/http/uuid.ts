/**
 * A random UUID. `crypto.randomUUID` does not exist in pages that were loaded over plain http, and React Native has no `crypto`
 * at all: there the numbers come from Math.random, which is enough for ids that are no secrets.
 */
export function uuid(): string {
  const words = Array.from(randomNumbers(), (word) => word.toString(16).padStart(8, '0'));
  return words.join('').replace(/^(.{8})(.{4}).(.{3}).(.{3})/, '$1-$2-4$3-8$4-');
}

function randomNumbers(): Uint32Array {
  const numbers = new Uint32Array(4);
  if (globalThis.crypto) return crypto.getRandomValues(numbers);
  return numbers.map(() => Math.floor(Math.random() * 2 ** 32));
}
