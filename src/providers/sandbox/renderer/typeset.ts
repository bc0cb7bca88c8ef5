/** Sets a text into a box: the largest font size that fits, lines of even length, and an ellipsis where it is too long. */

/** The width of a text at a font size of 1 px. */
export type Measure = (text: string) => number;
export type Box = { width: number; height: number };
export type Sizes = { sizeMaxPx: number; sizeMinPx: number; leading: number };
export type Setting = { lines: string[]; sizePx: number; lineHeightPx: number };

const ELLIPSIS = '…';
/** A word that would fit a line only below this part of the largest font size is broken instead. */
const WORD_SHRINK_MIN = 0.5;
/** Up to this many lines are balanced; in longer texts a short last line is not noticed. */
const BALANCED_LINES_MAX = 8;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Never returns a line wider than the box, or more lines than fit it. */
export function typeset(text: string, box: Box, measure: Measure, sizes: Sizes): Setting {
  const widths = new Map<string, number>();
  const widthOf = (word: string): number => {
    const known = widths.get(word) ?? measure(word);
    widths.set(word, known);
    return known;
  };
  const longest = Math.max(...text.split(/\s+/).map(widthOf), 0.001);
  const wholeWordsPx = box.width / longest;
  const isWordy = wholeWordsPx >= sizes.sizeMaxPx * WORD_SHRINK_MIN;
  const linesAt = (sizePx: number, width = box.width) => wrap(text, width / sizePx, widthOf);
  const fits = (sizePx: number) => linesAt(sizePx).length * sizePx * sizes.leading <= box.height;
  const sizePx = largest(sizes.sizeMinPx, isWordy ? Math.min(sizes.sizeMaxPx, wholeWordsPx) : sizes.sizeMaxPx, fits);
  const room = Math.max(1, Math.floor(box.height / (sizePx * sizes.leading)));
  const lines = linesAt(sizePx);
  const shown =
    lines.length > room ? cut(lines, room, box.width / sizePx, widthOf) : balance(lines, sizePx, box, linesAt);
  return { lines: shown, sizePx, lineHeightPx: sizePx * sizes.leading };
}

/** The largest size between the two, in half pixels, that `fits`; the smallest where none does. */
function largest(min: number, max: number, fits: (sizePx: number) => boolean): number {
  let low = Math.floor(min * 2);
  let high = Math.floor(Math.max(min, max) * 2);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle / 2)) low = middle;
    else high = middle - 1;
  }
  return low / 2;
}

function wrap(text: string, width: number, widthOf: Measure): string[] {
  const space = widthOf(' ');
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    let line = '';
    let used = 0;
    for (const part of paragraph.split(' ').flatMap((word) => breakWord(word, width, widthOf))) {
      const partWidth = widthOf(part);
      if (line && used + space + partWidth > width) {
        lines.push(line);
        line = part;
        used = partWidth;
      } else {
        used += partWidth + (line ? space : 0);
        line = line ? `${line} ${part}` : part;
      }
    }
    return [...lines, line];
  });
}

/** Breaks a word that is too wide for a line between graphemes. */
function breakWord(word: string, width: number, widthOf: Measure): string[] {
  if (widthOf(word) <= width) return [word];
  const pieces: string[] = [];
  let piece = '';
  let used = 0;
  for (const { segment } of graphemes.segment(word)) {
    const segmentWidth = widthOf(segment);
    if (piece && used + segmentWidth > width) {
      pieces.push(piece);
      piece = '';
      used = 0;
    }
    piece += segment;
    used += segmentWidth;
  }
  return piece ? [...pieces, piece] : pieces;
}

/** The same number of lines in the narrowest column, so that the last line is not a single word. */
function balance(
  lines: string[],
  sizePx: number,
  box: Box,
  linesAt: (sizePx: number, width: number) => string[],
): string[] {
  if (lines.length < 2 || lines.length > BALANCED_LINES_MAX) return lines;
  const narrowest = largestStep((step) => linesAt(sizePx, box.width * (1 - step)).length <= lines.length);
  return linesAt(sizePx, box.width * (1 - narrowest));
}

function largestStep(works: (step: number) => boolean): number {
  let step = 0;
  for (let size = 0.25; size > 0.005; size /= 2) if (works(step + size)) step += size;
  return step;
}

function cut(lines: string[], room: number, width: number, widthOf: Measure): string[] {
  const kept = lines.slice(0, room);
  const letters = Array.from(graphemes.segment(kept.pop() ?? ''), ({ segment }) => segment);
  while (letters.length > 0 && widthOf(letters.join('').trimEnd() + ELLIPSIS) > width) letters.pop();
  return [...kept, letters.join('').trimEnd() + ELLIPSIS];
}
