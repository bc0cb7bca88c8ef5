/** Reads the operator's list of words and phrases that no prompt may have: one a line, `#` begins a comment. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { PHRASE_CHARACTERS_MAX, phraseOf } from '../../moderation/block-list.ts';

/** Far more than any list has: a mistaken file is not read into memory. */
const LINES_MAX = 20_000;
const BYTES_MAX = 2_000_000;

/** A path, whose file is read at once. Every fault is a complaint that names the line, and never repeats it. */
export function promptBlocklist() {
  return z.string().transform(async (path, ctx): Promise<string[]> => {
    const bytes = await readFile(path).catch(() => null);
    const found = bytes === null ? 'cannot be read: it must be a text file' : phrasesIn(bytes);
    if (typeof found !== 'string') return found;
    ctx.addIssue({ code: 'custom', message: found });
    return z.NEVER;
  });
}

/** The phrases, or what is wrong with the file. */
function phrasesIn(bytes: Uint8Array): string[] | string {
  if (bytes.byteLength > BYTES_MAX) return `cannot be used: the file is larger than ${BYTES_MAX} bytes`;
  const text = decoded(bytes);
  if (text === null) return 'cannot be used: the file is not UTF-8 text';
  const phrases: string[] = [];
  for (const [index, raw] of text.split(/\r\n?|\n/).entries()) {
    const line = raw.replace(/(?:^|\s)#.*$/, '').trim();
    if (line === '') continue;
    const { length } = phraseOf(line);
    if (length === 0) return `cannot be used: line ${index + 1} has no letter and no digit`;
    if (length > PHRASE_CHARACTERS_MAX)
      return `cannot be used: line ${index + 1} is longer than ${PHRASE_CHARACTERS_MAX} letters`;
    phrases.push(line);
  }
  return phrases.length > LINES_MAX ? `cannot be used: the file has more than ${LINES_MAX} lines` : phrases;
}

/** Null if it is no UTF-8. A mark of the byte order at its begin is left out. */
function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
