/** Words of a prompt may be quoted by a vendor's message. Shorter ones say nothing, and would hide half of every message. */
const WORD_MIN = 3;

/** A vendor's message without the words of the prompt that it was about: operators read no prompts. */
export function maskPrompt(message: string, prompt: string | null): string {
  const words = new Set(
    (prompt?.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => word.length >= WORD_MIN),
  );
  return message.replace(/[\p{L}\p{N}]+/gu, (word) => (words.has(word.toLowerCase()) ? '…' : word));
}

/** The same for every text inside a value. */
export function maskPromptIn(value: unknown, prompt: string | null): unknown {
  if (typeof value === 'string') return maskPrompt(value, prompt);
  if (Array.isArray(value)) return value.map((item) => maskPromptIn(item, prompt));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, maskPromptIn(item, prompt)]));
}
