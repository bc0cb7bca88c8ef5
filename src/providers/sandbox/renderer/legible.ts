/** The prompt as it can be printed: no controls, no invisible direction marks, no characters without a glyph. */

/** Controls, direction overrides, private and unassigned characters. Line ends are kept, joiners are needed by emoji. */
const UNPRINTABLE = /[^\P{C}\n\u200d]/gu;
/** What only makes sense next to a neighbour, which may just have been dropped. */
const LONE_JOINERS = /^[\u200d\ufe0f]+|[\u200d\ufe0f]+$/gu;

/** Answers the printable text, with one space between words and at most one empty line; may be empty. */
export function legible(prompt: string, canDraw: (character: string) => boolean): string {
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
