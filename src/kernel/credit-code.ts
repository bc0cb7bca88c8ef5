/** Codes that give credits, as people type them and as they are stored. */

const STORED_FORM = /^[A-Z0-9]{4,40}$/;
/** Dashes, spaces, line ends, accents and characters that are not shown. */
const IGNORED = /[\p{Dash_Punctuation}\p{Separator}\p{White_Space}\p{Mark}\p{Format}\u2212]/gu;

/** Returns a code in the form in which it is stored: 4 to 40 capitals and digits. Null if the text cannot be a code. */
export function parseCreditCode(text: string): string | null {
  // Full-width letters become ASCII, and `İ`, which Turkish keyboards write as the capital of `i`, an `I` with an accent.
  const code = text.normalize('NFKD').replace(IGNORED, '').toUpperCase();
  return STORED_FORM.test(code) ? code : null;
}
