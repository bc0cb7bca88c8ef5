/** Judges prompts by a list of words and phrases. */
import { foldText, signsAsLetters } from './fold-text.ts';
import type { PromptPolicy } from './port.ts';

/** Of letters and digits, with the marks that belong to them. */
const WORD = /[\p{L}\p{N}\p{M}]+/gu;
/** The same where digits stand between words and not for letters, as in "word2". */
const WORD_OF_LETTERS = /[\p{L}\p{M}]+/gu;
/** Written without spaces between words, so there a phrase may stand anywhere. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
/** Shorter words come about by chance where two others meet ("an al…"): spaces inside them count only between single letters. */
const SPACED_CHARACTERS_MIN = 5;
/** The longest phrase, in letters and digits. */
export const PHRASE_CHARACTERS_MAX = 100;

type Word = { text: string; isAfterSpace: boolean };
type BlockList = {
  /** By their letters without spaces: the words of each phrase that has these. */
  phrases: Map<string, string[]>;
  /** Words that also block what only begins with them. */
  beginnings: Set<string>;
  anywhere: string[];
  lengths: Set<number>;
  lengthMax: number;
};

/** The letters and digits of a line of the list in the form in which they are compared; empty for a line without any. */
export function phraseOf(line: string): string {
  return wordsIn(signsAsLetters(foldText(line)), WORD)
    .map(({ text }) => text)
    .join('');
}

/**
 * Blocks prompts with one of these words or phrases, as whole words: however they are typed (`foldText`), with other spaces or signs
 * between their letters. A word with `*` at its end also blocks what begins with it.
 */
export function createBlockList(lines: readonly string[]): PromptPolicy {
  const list = compile(lines);
  return {
    async judge(prompt) {
      const folded = foldText(prompt);
      const isFound =
        isBlocked(list, wordsIn(signsAsLetters(folded), WORD)) || isBlocked(list, wordsIn(folded, WORD_OF_LETTERS));
      return isFound ? 'blocked' : 'allowed';
    },
  };
}

function compile(lines: readonly string[]): BlockList {
  const list: BlockList = { phrases: new Map(), beginnings: new Set(), anywhere: [], lengths: new Set(), lengthMax: 0 };
  for (const line of lines) {
    const words = wordsIn(signsAsLetters(foldText(line)), WORD).map(({ text }) => text);
    const phrase = words.join('');
    if (phrase === '') continue;
    if (UNSPACED.test(phrase)) list.anywhere.push(phrase);
    else if (line.trimEnd().endsWith('*') && words.length === 1) list.beginnings.add(phrase);
    list.phrases.set(phrase, words);
  }
  for (const phrase of [...list.phrases.keys()]) list.lengths.add(phrase.length);
  list.lengthMax = Math.max(0, ...list.lengths);
  return list;
}

function wordsIn(folded: string, word: RegExp): Word[] {
  let end = 0;
  return Array.from(folded.matchAll(word), (match) => {
    const isAfterSpace = /\s/.test(folded.slice(end, match.index));
    end = match.index + match[0].length;
    return { text: match[0], isAfterSpace };
  });
}

function isBlocked(list: BlockList, words: Word[]): boolean {
  if (words.some(({ text }) => hasBeginning(list, text))) return true;
  if (words.some((_, first) => beginsAt(list, words, first))) return true;
  const letters = words.map(({ text }) => text).join('');
  return list.anywhere.some((phrase) => letters.includes(phrase));
}

function hasBeginning({ beginnings, lengthMax }: BlockList, word: string): boolean {
  if (beginnings.size === 0) return false;
  for (let length = 1; length <= Math.min(word.length, lengthMax); length += 1)
    if (beginnings.has(word.slice(0, length))) return true;
  return false;
}

/** Whether a phrase begins with this word: joined with those that follow, up to the longest phrase. */
function beginsAt({ phrases, lengths, lengthMax }: BlockList, words: Word[], first: number): boolean {
  let joined = '';
  let hasSpace = false;
  let areSingle = true;
  for (let next = first; next < words.length; next += 1) {
    const { text, isAfterSpace } = words[next] ?? { text: '', isAfterSpace: false };
    joined += text;
    if (joined.length > lengthMax) return false;
    hasSpace ||= isAfterSpace && next > first;
    areSingle &&= [...text].length === 1;
    const phrase = lengths.has(joined.length) ? phrases.get(joined) : undefined;
    if (phrase === undefined) continue;
    const isAsListed = phrase.length === next - first + 1 && phrase.every((word, n) => word === words[first + n]?.text);
    if (isAsListed || !hasSpace || areSingle || joined.length >= SPACED_CHARACTERS_MIN) return true;
  }
  return false;
}
