const WORDS_MAX = 300;
/** More than enough for the text that is kept. */
const WORDS_READ = 5_000;
/** Fewer characters in common with a prompt are a coincidence. */
const QUOTE_MIN = 12;

/**
 * The vendor's text without `secrets` (prompts, URLs, keys) that it may quote, and without control characters: the database
 * stores no text with a NUL in it.
 */
export function redact(words: string, secrets: readonly string[]): string {
  return withoutSecrets(words, secrets)
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .slice(0, WORDS_MAX);
}

/** The beginning of the vendor's text without `secrets`, otherwise unchanged. */
export function withoutSecrets(words: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret.trim() !== '').reduce(without, words.slice(0, WORDS_READ));
}

/** Removes a secret, as plain text and as in JSON, and its beginning where the vendor quotes only that. */
function without(text: string, secret: string): string {
  const forms = [secret, JSON.stringify(secret).slice(1, -1)];
  let kept = '';
  for (let at = 0; at < text.length; ) {
    const length = Math.max(...forms.map((form) => lengthInCommon(text, at, form)));
    const isQuote = length >= Math.min(QUOTE_MIN, secret.length);
    kept += isQuote ? '…' : text[at];
    at += isQuote ? length : 1;
  }
  return kept;
}

function lengthInCommon(text: string, at: number, form: string): number {
  let length = 0;
  while (length < form.length && text[at + length] === form[length]) length += 1;
  return length;
}
