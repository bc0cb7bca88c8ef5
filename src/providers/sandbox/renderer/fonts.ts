/** Fonts: the Noto Sans of this repository, so that all machines draw alike; the machine's fonts for characters it lacks. */
import { platform } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createCanvas, GlobalFonts } from '@napi-rs/canvas';

export type Weight = 'bold' | 'normal';

const FAMILY = 'Rendio Sans';
const FONT_FILES = ['NotoSans-Regular.ttf', 'NotoSans-Bold.ttf'];

/** The folders and names of system fonts for other scripts and for emoji. */
const SYSTEM_FOLDERS: Record<string, string[]> = {
  darwin: ['/System/Library/Fonts', '/Library/Fonts'],
  win32: ['C:\\Windows\\Fonts'],
  linux: ['/usr/share/fonts', '/usr/local/share/fonts'],
};
const SYSTEM_FAMILIES = [
  ...['Noto Color Emoji', 'Apple Color Emoji', 'Segoe UI Emoji', 'Noto Sans Symbols2', 'Segoe UI Symbol'],
  ...['Noto Sans CJK SC', 'Noto Sans CJK JP', 'PingFang SC', 'Hiragino Sans', 'Microsoft YaHei', 'Yu Gothic'],
  ...['Noto Sans CJK KR', 'Apple SD Gothic Neo', 'Malgun Gothic', 'Noto Sans Arabic', 'Geeza Pro', 'Segoe UI'],
  ...['Noto Sans Hebrew', 'Arial Hebrew', 'Noto Sans Devanagari', 'Kohinoor Devanagari', 'Nirmala UI'],
  ...['Noto Sans Thai', 'Thonburi', 'Leelawadee UI', 'DejaVu Sans'],
];

/** A CSS font of this size. Call `loadFonts` first. */
export function fontOf(sizePx: number, weight: Weight): string {
  const families = [FAMILY, ...SYSTEM_FAMILIES].map((family) => `"${family}"`).join(', ');
  return `${weight} ${sizePx}px ${families}`;
}

/** Loads the fonts that `text` needs; the result tells which characters can be drawn. Throws when our own font is missing. */
export function loadFonts(text: string): (character: string) => boolean {
  for (const file of FONT_FILES) {
    const path = fileURLToPath(new URL(`../../../../assets/fonts/${file}`, import.meta.url));
    if (!GlobalFonts.registerFromPath(path, FAMILY)) throw new Error(`cannot read the font ${file}`);
  }
  const ours = createGlyphTest();
  if ([...text].every(ours)) return ours;
  for (const folder of SYSTEM_FOLDERS[platform()] ?? []) GlobalFonts.loadFontsFromDir(folder);
  return createGlyphTest();
}

/** A font draws the same box for every character that it lacks: a glyph that equals the box is missing. */
export function createGlyphTest(): (character: string) => boolean {
  const context = createCanvas(32, 32).getContext('2d');
  context.font = fontOf(20, 'normal');
  const shapeOf = (character: string): string => {
    context.clearRect(0, 0, 32, 32);
    context.fillText(character, 4, 24);
    return Buffer.from(context.getImageData(0, 0, 32, 32).data.buffer).toString('latin1');
  };
  const box = shapeOf('\uffff');
  const known = new Map<string, boolean>();
  return (character) => {
    const seen = known.get(character);
    if (seen !== undefined) return seen;
    const drawable = shapeOf(character) !== box;
    known.set(character, drawable);
    return drawable;
  };
}
