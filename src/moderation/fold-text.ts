/**
 * Brings text into one form, so that words compare equal however they are typed: case, accents, full-width and mathematical letters,
 * letters of other alphabets that look Latin, and characters that cannot be seen. Linear in the length of the text.
 */

/** Accents and points. Of other scripts marks are vowels, and of kana they make another letter: those stay. */
const MARKS = /(?!\u3099|\u309a)(?=\p{M})[\p{Script=Inherited}\p{Script=Hebrew}\p{Script=Arabic}]/gu;
/** What may stand inside a word unseen: formats, controls, letters without a shape, the empty Braille cell. White space stays. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Cf}\u2800]|(?!\s)\p{Cc}/gu;

/** What a letter looks like, in lower case; both the list and the prompt are folded, so words of those alphabets still compare. */
const LOOKALIKES = new Map(
  Object.entries({
    ı: 'i',
    ø: 'o',
    ł: 'l',
    đ: 'd',
    ð: 'd',
    æ: 'ae',
    œ: 'oe',
    þ: 'th',
    ŧ: 't',
    ħ: 'h',
    ƒ: 'f',
    ɑ: 'a',
    ɡ: 'g',
    ɩ: 'i',
    ʀ: 'r',
    ɴ: 'n',
    а: 'a',
    в: 'b',
    е: 'e',
    к: 'k',
    м: 'm',
    н: 'h',
    о: 'o',
    р: 'p',
    с: 'c',
    т: 't',
    у: 'y',
    х: 'x',
    ѕ: 's',
    і: 'i',
    ј: 'j',
    һ: 'h',
    ԁ: 'd',
    ԛ: 'q',
    ԝ: 'w',
    α: 'a',
    β: 'b',
    ε: 'e',
    ι: 'i',
    κ: 'k',
    ν: 'v',
    ο: 'o',
    ρ: 'p',
    τ: 't',
    υ: 'u',
    χ: 'x',
  }),
);
const LOOKALIKE = new RegExp(`[${[...LOOKALIKES.keys()].join('')}]`, 'gu');

/** Signs for letters, where a letter or a digit stands beside them on both sides, or, for `@` and `$`, on one. */
const SIGNS: [RegExp, string][] = [
  [/(?<=\p{L})0|0(?=\p{L})/gu, 'o'],
  [/(?<=\p{L})1|1(?=\p{L})|(?<=\p{L})[!|](?=\p{L})/gu, 'i'],
  [/(?<=\p{L})3|3(?=\p{L})/gu, 'e'],
  [/(?<=\p{L})4|4(?=\p{L})|@(?=\p{L})|(?<=\p{L})@(?=\p{L})/gu, 'a'],
  [/(?<=\p{L})[5$]|[5$](?=\p{L})/gu, 's'],
  [/(?<=\p{L})7|7(?=\p{L})/gu, 't'],
];

export function foldText(text: string): string {
  // Through lower and upper case: ẞ is ß, and ß is ss, and both forms of the Greek sigma are one.
  const lower = text.normalize('NFKD').toLowerCase().toUpperCase().toLowerCase().normalize('NFKD');
  const seen = lower.replace(UNSEEN, '').replace(MARKS, '').normalize('NFC');
  return seen.replace(LOOKALIKE, (letter) => LOOKALIKES.get(letter) ?? letter);
}

/** Of a folded text: signs that stand for letters, as those letters. */
export function signsAsLetters(folded: string): string {
  return SIGNS.reduce((text, [pattern, letter]) => text.replace(pattern, letter), folded);
}
