const WORDS_MAX = 300;
/** What comes later is not kept anyway. */
const WORDS_READ = 5_000;
/** Fewer characters in common with a prompt are chance. */
const QUOTE_MIN = 12;

/**
 * The vendor's words, without what a person wrote or what opens a door: `secrets` may be quoted in them. Nor is a control
 * character left: the database keeps no text with a NUL in it.
 */
export function redact(words: string, secrets: readonly string[]): string {
  const known = secrets.filter((secret) => secret.trim() !== '');
  return known
    .reduce(without, words.slice(0, WORDS_READ))
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .slice(0, WORDS_MAX);
}

/** Takes a secret out, as it is and as JSON has it, and the beginning of it where the vendor quotes no more. */
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
