import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { planVideo } from '../../src/providers/sandbox/renderer/plan.ts';
import { createGrid, createPlanes, toYuv } from '../../src/providers/sandbox/renderer/planes.ts';
import { printable } from '../../src/providers/sandbox/renderer/printable.ts';
import { seededRandom } from '../../src/providers/sandbox/renderer/seed.ts';
import { type Measure, typeset } from '../../src/providers/sandbox/renderer/typeset.ts';

// Set before the canvas is loaded, as in the rendering process, so that only the shipped font is tested.
process.env.DISABLE_SYSTEM_FONTS_LOAD = '1';
const { createCanvas } = await import('@napi-rs/canvas');
const { fontOf, loadFonts } = await import('../../src/providers/sandbox/renderer/fonts.ts');
const { createVideo } = await import('../../src/providers/sandbox/renderer/video.ts');
const { createEnlarger } = await import('../../src/providers/sandbox/renderer/enlarge.ts');
const { blendLayer, drawLayer } = await import('../../src/providers/sandbox/renderer/layer.ts');

const TURKISH = 'Iğdır’da şık İstanbul: ĞÜŞİÖÇ ğüşıöç';
const SPANISH = '¿Qué tal, niño? ¡Ánimo, pingüino! ÁÉÍÓÚÑ áéíóúñ';

let canDraw: (character: string) => boolean;
before(() => {
  canDraw = loadFonts(TURKISH + SPANISH);
});

function shapeOf(character: string, weight: 'bold' | 'normal'): string {
  const context = createCanvas(48, 48).getContext('2d');
  context.font = fontOf(32, weight);
  context.fillText(character, 4, 36);
  return Buffer.from(context.getImageData(0, 0, 48, 48).data.buffer).toString('base64');
}

test('every Turkish and Spanish letter has its own glyph in the shipped font, bold and normal', () => {
  for (const character of (TURKISH + SPANISH).replace(/\s/g, '')) assert.equal(canDraw(character), true, character);
  assert.equal(canDraw('\uffff'), false);
  for (const weight of ['bold', 'normal'] as const) {
    const pairs = ['ğg', 'şs', 'ıi', 'İI', 'çc', 'öo', 'üu', 'ñn', '¿?', 'áa'];
    for (const [one = '', other = ''] of pairs) assert.notEqual(shapeOf(one, weight), shapeOf(other, weight), one);
    const box = shapeOf('\uffff', weight);
    for (const character of 'ğĞşŞıİçÇöÖüÜñÑ¿¡áéíóú') assert.notEqual(shapeOf(character, weight), box, character);
  }
  assert.notEqual(shapeOf('a', 'bold'), shapeOf('a', 'normal'));
});

test('a video has exactly the requested size, frame rate and number of frames', () => {
  const sizes = { '360p': [640, 360], '720p': [1280, 720], '1080p': [1920, 1080] } as const;
  for (const [resolution, [long, short]] of Object.entries(sizes)) {
    for (const fps of [24, 30]) {
      const planOf = (aspect_ratio: string) => planVideo({ duration: 7, resolution, aspect_ratio, fps });
      assert.deepEqual(planOf('16:9'), { width: long, height: short, fps, frames: 7 * fps, seconds: 7 });
      assert.deepEqual([planOf('9:16').width, planOf('9:16').height], [short, long]);
      assert.deepEqual([planOf('1:1').width, planOf('1:1').height], [short, short]);
    }
  }
  assert.deepEqual(planVideo({ duration: 5 }), { width: 1280, height: 720, fps: 24, frames: 120, seconds: 5 });
});

/** Letters half as wide as they are high, on every machine. */
const halfWidth: Measure = (text) => [...text].length / 2;
const SIZES = { sizeMaxPx: 80, sizeMinPx: 10, leading: 1.25 };
const box = { width: 600, height: 300 };

test('text of any length fits its box', () => {
  const words = fc.array(fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }), { maxLength: 120 });
  fc.assert(
    fc.property(words, fc.integer({ min: 40, max: 900 }), fc.integer({ min: 20, max: 900 }), (parts, width, height) => {
      const text = printable(parts.join(' '), () => true) || 'x';
      const { lines, sizePx, lineHeightPx } = typeset(text, { width, height }, halfWidth, SIZES);
      assert.ok(lines.length > 0 && sizePx >= SIZES.sizeMinPx && sizePx <= SIZES.sizeMaxPx);
      assert.ok(lines.length === 1 || lines.length * lineHeightPx <= height);
      for (const line of lines) assert.ok([...line].length === 1 || halfWidth(line) * sizePx <= width + 1e-6, line);
    }),
    { seed: 7, numRuns: 300 },
  );
});

test('text that fits keeps every word; text that does not ends in an ellipsis', () => {
  const short = 'a small red fox jumps over two very lazy dogs';
  assert.equal(typeset(short, box, halfWidth, SIZES).lines.join(' '), short);
  const long = Array.from({ length: 900 }, (_, index) => `word${index}`).join(' ');
  const { lines, sizePx } = typeset(long, box, halfWidth, SIZES);
  assert.equal(sizePx, SIZES.sizeMinPx);
  assert.match(lines.at(-1) ?? '', /…$/);
  assert.ok(long.startsWith(lines.join(' ').slice(0, -1)));
});

test('fewer words get larger letters, and lines are about equally long', () => {
  const sizeOf = (words: number) => typeset('lorem '.repeat(words).trim(), box, halfWidth, SIZES).sizePx;
  assert.ok(sizeOf(2) > sizeOf(40) && sizeOf(40) > sizeOf(150));
  const { lines } = typeset('one two three four five six seven eight nine ten', box, halfWidth, SIZES);
  const lengths = lines.map((line) => line.length);
  assert.ok(Math.min(...lengths) > Math.max(...lengths) / 2, lines.join(' | '));
});

test('line breaks of the prompt are kept, and a word wider than the box is split', () => {
  assert.deepEqual(typeset('one\ntwo', box, halfWidth, SIZES).lines, ['one', 'two']);
  assert.equal(typeset('y'.repeat(300), box, halfWidth, SIZES).lines.join(''), 'y'.repeat(300));
});

test('characters that cannot be printed are left out, and no others', () => {
  const all = (): boolean => true;
  assert.equal(printable('  a \t cat\u0000\u0007 \u202eplaying\u2066 piano\ufeff ', all), 'a cat playing piano');
  assert.equal(printable('one\r\n\r\n\r\n\r\ntwo\u2028three', all), 'one\n\ntwo\nthree');
  assert.equal(printable(TURKISH, canDraw), TURKISH);
  assert.equal(printable('I\u0307stanbul g\u0306', all), 'İstanbul ğ');
  const noEmoji = (character: string): boolean => !/\p{Extended_Pictographic}/u.test(character);
  assert.equal(printable('a 👨‍👩‍👧 family ❤️ cat', noEmoji), 'a family cat');
  assert.equal(printable('🐱\ud800', noEmoji), '');
});

/** Prompts of "a red fox in the snow" and the like, some of scripts for which there is no font. */
const PROMPTS = {
  Hindi: 'बर्फ में लाल लोमड़ी क्षत्रिय',
  Bengali: 'বরফে লাল শিয়াল',
  Tamil: 'பனியில் சிவப்பு நரி',
  Arabic: 'ثعلب أحمر في الثلج',
  Hebrew: 'שועל אדום בשלג',
  Thai: 'สุนัขจิ้งจอกแดงในหิมะ',
  Chinese: '雪中的红狐狸',
  Japanese: '雪の中の赤いキツネ',
  Korean: '눈 속의 빨간 여우',
  emoji: '🐱 👨‍👩‍👧 ❤️ 🦊',
  mixed: 'a fox बर्फ 雪 ثعلب 눈 🦊 ሰላም',
};

test('prompts in many scripts are printed whole, and of a script without a font nothing is, no mark and no joiner', () => {
  for (const [script, prompt] of Object.entries(PROMPTS)) {
    const printed = printable(prompt, loadFonts(prompt));
    assert.equal(printed, prompt.normalize('NFC').replace(' ሰላም', ''), script);
  }
  for (const prompt of ['శ్రీ నక్క', 'ក្រហម', 'ᠮᠣᠩᠭᠣᠯ\u200d', '\u0301\u200d\ufe0f', 'བོད་ཡིག']) {
    assert.equal(printable(prompt, loadFonts(prompt)), '', prompt);
  }
  assert.equal(printable('త్ a\u0301 b', loadFonts('a')), 'á b');
});

test('no character that is printed is drawn as the box of a missing one, in either weight', () => {
  const canDrawAll = loadFonts(Object.values(PROMPTS).join(''));
  for (const weight of ['bold', 'normal'] as const) {
    const box = shapeOf('\uffff', weight);
    for (const character of new Set(
      Object.values(PROMPTS)
        .join('')
        .replace(/[\s\p{M}\u200d]/gu, ''),
    )) {
      assert.equal(shapeOf(character, weight) === box, !canDrawAll(character), `${character} ${weight}`);
    }
  }
});

test('the prompt and the job’s id determine every pixel', () => {
  const plan = planVideo({ duration: 1, resolution: '360p', aspect_ratio: '1:1', fps: 24 });
  const frameOf = (jobId: string, prompt: string, frame: number): string => {
    const video = createVideo(plan, jobId, prompt);
    video.draw(frame);
    return Buffer.from(video.planes.bytes).toString('base64');
  };
  const first = frameOf('job', 'a fox', 3);
  assert.equal(frameOf('job', 'a fox', 3), first);
  for (const other of [frameOf('other', 'a fox', 3), frameOf('job', 'a cat', 3), frameOf('job', 'a fox', 4)]) {
    assert.notEqual(other, first);
  }
});

test('a frame does not depend on the frames that were drawn before it', () => {
  const plan = planVideo({ duration: 1, resolution: '360p', aspect_ratio: '16:9', fps: 24 });
  const [first, second] = [createVideo(plan, 'job', 'a fox'), createVideo(plan, 'job', 'a fox')];
  for (const frame of [0, 1, 2]) first.draw(frame);
  second.draw(2);
  assert.ok(Buffer.from(first.planes.bytes).equals(second.planes.bytes));
});

test('the background is dark enough for white letters with every palette', () => {
  const plan = planVideo({ duration: 1, resolution: '360p', aspect_ratio: '16:9', fps: 24 });
  for (let index = 0; index < 24; index++) {
    const video = createVideo(plan, `job ${index}`, `${'word '.repeat(30)}${index}`);
    video.draw(12);
    const middle = video.planes.y.subarray(plan.width * 90, plan.width * 250).toSorted();
    // Letters are about the lightest fifth of this part; a background of luma 92 gives white a contrast of 7 to 1.
    assert.ok((middle[Math.floor(middle.length * 0.75)] ?? 255) < 92, `prompt ${index}`);
    assert.ok((middle.at(-1) ?? 0) > 225);
  }
});

test('an even grid becomes an even image, and a gradient stays a gradient without steps', () => {
  const grid = createGrid(16, 9);
  const planes = createPlanes(320, 180);
  const enlarge = createEnlarger(grid, planes, seededRandom('grain'), 0);
  grid.y.fill(100);
  grid.u.fill(90);
  grid.v.fill(160);
  enlarge(grid, planes, 0);
  assert.deepEqual(
    [new Set(planes.y), new Set(planes.u), new Set(planes.v)],
    [new Set([100]), new Set([90]), new Set([160])],
  );
  for (let at = 0; at < grid.y.length; at++) grid.y[at] = 20 + 10 * (at % 18);
  enlarge(grid, planes, 0);
  const row = planes.y.subarray(320 * 90, 320 * 91);
  for (let x = 1; x < row.length; x++)
    assert.ok((row[x] ?? 0) - (row[x - 1] ?? 0) >= 0 && (row[x] ?? 0) - (row[x - 1] ?? 0) <= 1);
});

test('a layer changes only the pixels where it was drawn', () => {
  const planes = createPlanes(8, 4);
  planes.y.fill(50);
  planes.u.fill(100);
  planes.v.fill(100);
  const layer = drawLayer(8, 4, (context) => {
    context.fillStyle = '#ff0000';
    context.fillRect(0, 0, 4, 4);
  });
  blendLayer(planes, layer);
  const [y, u, v] = toYuv(255, 0, 0).map(Math.round);
  assert.deepEqual([...planes.y.subarray(0, 8)], [y, y, y, y, 50, 50, 50, 50]);
  assert.deepEqual([...planes.u.subarray(0, 4), ...planes.v.subarray(0, 4)], [u, u, 100, 100, v, v, 100, 100]);
});
