const WORDS_MAX = 300;
/** More than enough for the text that is kept. */
const WORDS_READ = 5_000;
/** Fewer characters in common with a longer prompt are a coincidence. */
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

/** Removes whatever the text quotes of a secret, as plain text and as in JSON: all of it, or any part that is no coincidence. */
function without(text: string, secret: string): string {
  const length = Math.min(QUOTE_MIN, secret.length);
  const forms = [secret, JSON.stringify(secret).slice(1, -1)];
  const parts = new Set(forms.flatMap((form) => partsOf(form, length)));
  let kept = '';
  /** Up to where the text is quoted. */
  let quotedTo = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (parts.has(text.slice(at, at + length))) {
      if (at >= quotedTo) kept += '…';
      quotedTo = at + length;
    }
    if (at >= quotedTo) kept += text[at];
  }
  return kept;
}

function partsOf(form: string, length: number): string[] {
  return Array.from({ length: form.length - length + 1 }, (_, at) => form.slice(at, at + length));
}
