/** The printable part of a prompt: no control characters, no invisible direction marks, no characters without a glyph. */

/** Controls, direction overrides, private and unassigned characters. Line ends are kept, joiners are needed by emoji and scripts. */
const UNPRINTABLE = /[^\P{C}\n\u200c\u200d]/gu;
/** Joiners and variation selectors: they have no glyph, and change the shape of their neighbours. */
const JOINER = /\u200c|\u200d|\ufe0e|\ufe0f/u;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** With one space between words and at most one empty line between paragraphs. May be empty. */
export function printable(prompt: string, canDraw: (character: string) => boolean): string {
  const text = prompt
    .normalize('NFC')
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(UNPRINTABLE, '');
  return Array.from(graphemes.segment(text), ({ segment }) => printablePart(segment, canDraw))
    .join('')
    .split('\n')
    .map((line) => line.split(/\s+/u).filter(Boolean).join(' '))
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** A mark without its letter would be drawn on an empty box: where the letter has no glyph, its marks go with it. */
function printablePart(grapheme: string, canDraw: (character: string) => boolean): string {
  const [base = '', ...others] = grapheme;
  if (/\s/u.test(base)) return grapheme;
  if (JOINER.test(base) || /\p{M}/u.test(base) || !canDraw(base)) return '';
  return (
    base +
    others
      .filter((character) => JOINER.test(character) || canDraw(character))
      .join('')
      .replace(/\u200d$/u, '')
  );
}
