/** Fonts: only those of this repository, so that all machines draw alike, and so that it is known what they can draw. */
import { fileURLToPath } from 'node:url';
import { GlobalFonts } from '@napi-rs/canvas';
import { readCoverage } from './font-coverage.ts';

export type Weight = 'bold' | 'normal';

type Font = { family: string; files: string[] };

const LATIN: Font = { family: 'Rendio Sans', files: ['NotoSans-Regular.ttf', 'NotoSans-Bold.ttf'] };
/** For other scripts and emoji. Of a character that several have, the first one's glyph is drawn. */
const OTHERS: Font[] = ['Devanagari', 'Bengali', 'Tamil', 'Arabic', 'Hebrew', 'Thai', 'SC', 'KR']
  .map((script) => ({ family: `Rendio ${script}`, files: [`NotoSans${script}.woff2`] }))
  .concat({ family: 'Rendio Emoji', files: ['NotoEmoji.woff2'] });
const FAMILIES = [LATIN, ...OTHERS].map(({ family }) => `"${family}"`).join(', ');

/** A CSS font of this size. Call `loadFonts` first. */
export function fontOf(sizePx: number, weight: Weight): string {
  return `${weight} ${sizePx}px ${FAMILIES}`;
}

/** Loads the fonts that `text` needs; the result tells which characters can be drawn. Throws when a font is missing. */
export function loadFonts(text: string): (character: string) => boolean {
  const covered = new Set(load(LATIN));
  const points = [...text.normalize('NFC')].map(pointOf);
  for (const font of OTHERS) {
    const missing = points.filter((point) => !covered.has(point));
    if (missing.length === 0) break;
    const coverage = readCoverage(pathOf(font.files[0] ?? ''));
    if (!missing.some((point) => coverage.has(point))) continue;
    for (const point of load(font)) covered.add(point);
  }
  return (character) => covered.has(pointOf(character));
}

function load({ family, files }: Font): ReadonlySet<number> {
  for (const file of files) {
    if (!GlobalFonts.registerFromPath(pathOf(file), family)) throw new Error(`cannot read the font ${file}`);
  }
  return readCoverage(pathOf(files[0] ?? ''));
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(`../../../../assets/fonts/${file}`, import.meta.url));
}

function pointOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}
