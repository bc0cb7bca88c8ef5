/** The printable part of a prompt: no control characters, no invisible direction marks, no characters without a glyph. */

/** Controls, direction overrides, private and unassigned characters. Line ends are kept, joiners are needed by emoji. */
const UNPRINTABLE = /[^\P{C}\n\u200d]/gu;
/** Joiners and variation selectors whose neighbour may just have been removed. */
const LONE_JOINERS = /^[\u200d\ufe0f]+|[\u200d\ufe0f]+$/gu;

/** With one space between words and at most one empty line between paragraphs. May be empty. */
export function printable(prompt: string, canDraw: (character: string) => boolean): string {
  const kept = [
    ...prompt
      .normalize('NFC')
      .replace(/\r\n?|[\u2028\u2029]/g, '\n')
      .replace(UNPRINTABLE, ''),
  ]
    .filter((character) => /[\s\p{M}]|\u200d|\ufe0f/u.test(character) || canDraw(character))
    .join('');
  return kept
    .split('\n')
    .map((line) =>
      line
        .split(/\s+/u)
        .map((word) => word.replace(LONE_JOINERS, ''))
        .filter(Boolean)
        .join(' '),
    )
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}
