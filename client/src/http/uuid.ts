/** A random UUID. `crypto.randomUUID` does not exist in pages that were loaded over plain http. */
export function uuid(): string {
  const words = Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(16).padStart(8, '0'));
  return words.join('').replace(/^(.{8})(.{4}).(.{3}).(.{3})/, '$1-$2-4$3-8$4-');
}
