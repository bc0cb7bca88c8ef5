/** Which images are taken for whole: those whose pixels all decode, whatever else is in the file. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { inspectImage } from '../../src/media/image.ts';
import { jpegWithOrientation, makeImage } from '../support/upload-images.ts';
import {
  jpegChanged,
  jpegSegment,
  jpegWith,
  makePng,
  pngChunk,
  splitJpeg,
  webpChunk,
  webpWith,
} from './image-files.ts';

const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url));
const jpeg = makeImage('jpeg', 200, 152);
const webp = makeImage('webp', 200, 152);
const lossless = fixture('lossless.webp');
const progressive = fixture('progressive.jpg');
const restarts = fixture('restarts.jpg');
/** As a webcam saves it: the tables of the standard are left out. */
const motionFrame = fixture('motion-frame.jpg');
const zeros = Buffer.alloc(512);
const html = Buffer.from('<!doctype html><script>alert(1)</script>');
const { segments, scan } = splitJpeg(jpeg);
const SCAN_HEAD_BYTES = 14;
const END = Buffer.from([0xff, 0xd9]);
const withoutEnd = (bytes: Buffer) => bytes.subarray(0, -2);
const upTo = (bytes: Buffer, share: number) => bytes.subarray(0, Math.floor(bytes.length * share));
/** The same headers, and only the first part of the pixels. */
const halfScan = (bytes: Buffer) => {
  const parts = splitJpeg(bytes);
  return Buffer.concat([bytes.subarray(0, bytes.length - parts.scan.length), upTo(parts.scan, 0.5)]);
};
const samsungTrailer = Buffer.concat([
  Buffer.from([0, 0, 1, 0x0a, 14, 0, 0, 0]),
  Buffer.from('Image_UTC_Data1600000000SEFHj\0\0\0SEFT'),
]);

async function verdictOf(bytes: Uint8Array): Promise<string> {
  const found = await inspectImage(new Uint8Array(bytes));
  return 'fault' in found ? found.fault : `${found.width}×${found.height}`;
}

/** The WebP in the extended form, with a canvas of this width. */
const extended = (width: number) => {
  const content = Buffer.alloc(10);
  content.writeUInt16LE(width - 1, 4);
  content.writeUInt16LE(152 - 1, 7);
  return webpWith(webp.subarray(0, 12), webpChunk('VP8X', content), fixture('lossy.webp').subarray(12));
};

const whole: [what: string, bytes: Uint8Array, size?: string][] = [
  ['a PNG with zeros behind its end', fixture('p01-png-zero-block.png'), '0'],
  ['a PNG with a page behind its end', Buffer.concat([makePng(), html]), '96×80'],
  ['a PNG without an end mark', makePng().subarray(0, -12), '96×80'],
  ['a PNG in many chunks', makePng({ pieceBytes: 7 }), '96×80'],
  ['a PNG with an empty pixel chunk', makePng({ before: [pngChunk('IDAT')] }), '96×80'],
  ['a PNG with a wrong checksum of a comment', makePng({ before: [pngChunk('tEXt', html, 1)] }), '96×80'],
  [
    'a PNG with a wrong checksum of its rows',
    makePng({ compressed: (b) => Buffer.concat([b.subarray(0, -4), zeros.subarray(0, 4)]) }),
    '96×80',
  ],
  ['a PNG with bytes behind its compressed rows', makePng({ compressed: (b) => Buffer.concat([b, zeros]) }), '96×80'],
  ['a PNG with more rows than it promises', makePng({ rows: (rows) => Buffer.concat([rows, rows]) }), '96×80'],
  [
    'a PNG with a broken chunk behind its pixels',
    Buffer.concat([makePng().subarray(0, -12), Buffer.from('\xff\xff\xff\xfftEXt', 'latin1')]),
    '96×80',
  ],
  ...[0, 2, 3, 4, 6].flatMap((colour) =>
    [1, 2, 4, 8, 16].flatMap((depth) =>
      [false, true].flatMap((isInterlaced): [string, Uint8Array, string][] => {
        const isKind = colour === 0 || (colour === 3 ? depth < 16 : depth >= 8);
        const what = `a PNG of colour type ${colour} with ${depth} bits${isInterlaced ? ', interlaced' : ''}`;
        return isKind ? [[what, makePng({ colour, depth, isInterlaced, width: 67, height: 65 }), '67×65']] : [];
      }),
    ),
  ),
  ['a JPEG with stray bytes between its segments', fixture('p05-jpg-seven-stray-bytes.jpg'), '0'],
  ['a JPEG', jpeg],
  ['a JPEG without an end mark', withoutEnd(jpeg)],
  ['a JPEG with a trailer in place of its end mark', Buffer.concat([withoutEnd(jpeg), samsungTrailer])],
  ['a JPEG with a trailer and an end mark behind it', Buffer.concat([withoutEnd(jpeg), samsungTrailer, END])],
  [
    'a JPEG with a segment behind its pixels that does not end',
    Buffer.concat([withoutEnd(jpeg), Buffer.from([0xff, 0xe4, 0xff, 0xf0, 1, 2, 3])]),
  ],
  ['a JPEG with a second image behind it', Buffer.concat([jpeg, jpeg])],
  ['a JPEG with a video behind it', Buffer.concat([jpeg, Buffer.from('\0\0\0\x18ftypmp42 and the rest')])],
  [
    'a JPEG with a thumbnail in its EXIF data',
    jpegWith(
      jpeg,
      jpegSegment(0xe1, Buffer.concat([Buffer.from('Exif\0\0MM\0*\0\0\0\x08\0\0'), jpeg.subarray(0, 60_000)])),
    ),
  ],
  [
    'a JPEG with a segment that begins with 00 E1',
    jpegWith(jpeg, Buffer.from('\0\xe1\0\x10Exif and so on', 'latin1'), 1),
  ],
  ['a JPEG with fill bytes before its segments', jpegWith(jpeg, Buffer.from([0xff, 0xff, 0xff]), 1)],
  ['a JPEG with restart marks outside its scan', jpegWith(jpeg, Buffer.from([0xff, 0xd3, 0xff, 0x01]), 1)],
  [
    'a JPEG with many small segments',
    jpegWith(jpeg, Buffer.concat(Array.from({ length: 20_000 }, () => jpegSegment(0xfe)))),
  ],
  [
    'a JPEG with odd numbers in its scan’s header',
    Buffer.concat([
      jpeg.subarray(0, -scan.length),
      scan.subarray(0, SCAN_HEAD_BYTES - 3),
      Buffer.from([0, 0, 0]),
      scan.subarray(SCAN_HEAD_BYTES),
    ]),
  ],
  ['a JPEG with restart marks', restarts],
  [
    'a JPEG with bytes before its restart marks',
    Buffer.from(restarts.toString('latin1').replaceAll('\xff\xd1', '\0\0\0\xff\xd1'), 'latin1'),
  ],
  ['a frame of a motion JPEG, without Huffman tables', motionFrame],
  ['a progressive JPEG', progressive],
  [
    'a progressive JPEG with a trailer in place of its end mark',
    Buffer.concat([withoutEnd(progressive), samsungTrailer]),
  ],
  ['a progressive JPEG in grey', fixture('progressive-grey.jpg')],
  ['a JPEG for print (CMYK)', fixture('cmyk.jpg')],
  ['a JPEG whose colours have scans of their own', fixture('own-scans.jpg')],
  ['a JPEG on its side', jpegWithOrientation(6, 200, 152), '152×200'],
  ['a WebP', webp],
  ['a WebP with bytes behind its end', Buffer.concat([webp, zeros])],
  ['a lossless WebP', lossless],
  ['a WebP in the extended form', extended(200)],
  ['a WebP with data of its camera', webpWith(webp, webpChunk('EXIF', html), webpChunk('odd!', html.subarray(1)))],
];
for (const [what, bytes, size = '200×152'] of whole) {
  test(`${what} is whole`, async () => {
    const verdict = await verdictOf(bytes);
    if (size === '0') assert.match(verdict, /^\d+×\d+$/);
    else assert.equal(verdict, size);
  });
}

const noise = Buffer.from(Uint8Array.from({ length: 4000 }, (_, index) => (index * index * 7 + index * 13) % 251));
const damaged: [what: string, bytes: Uint8Array][] = [
  ['a PNG whose pixels are nothing', fixture('p08-png-no-pixels.png')],
  ['a PNG without pixels', Buffer.concat([makePng().subarray(0, 33), pngChunk('IEND')])],
  ['a PNG whose pixels do not inflate', makePng({ compressed: (b) => Buffer.concat([b.subarray(0, 20), noise]) })],
  ['a PNG whose pixels are no zlib data', makePng({ compressed: () => noise })],
  ['a PNG with one row too few', makePng({ rows: (rows) => rows.subarray(0, -385) })],
  ['a PNG with half of its rows', makePng({ rows: (rows) => upTo(rows, 0.5) })],
  ['an interlaced PNG without its last pass', makePng({ isInterlaced: true, rows: (rows) => upTo(rows, 0.5) })],
  ['a PNG with a filter that does not exist', makePng({ rows: (rows) => rows.fill(9, 385, 386) })],
  ['a PNG that is cut off in its pixels', makePng().subarray(0, -20)],
  [
    'a PNG with a wrong checksum of its header',
    Buffer.concat([makePng().subarray(0, 29), zeros.subarray(0, 4), makePng().subarray(33)]),
  ],
  [
    'a PNG with a wrong checksum of its pixels',
    Buffer.concat([makePng().subarray(0, -16), zeros.subarray(0, 4), pngChunk('IEND')]),
  ],
  ['a PNG with bits that its colours do not have', makePng({ colour: 2, depth: 4 })],
  ['a PNG of colour type 5', makePng({ colour: 5 })],
  [
    'an indexed PNG without its colours',
    Buffer.from(makePng({ colour: 3 }).toString('latin1').replace('PLTE', 'pLTE'), 'latin1'),
  ],
  ['a PNG with an unknown chunk that matters', makePng({ before: [pngChunk('CgBI', zeros)] })],
  [
    'a PNG with other chunks between its pixels',
    makePng({ pieceBytes: 100 }).fill('tEXt', 33 + 112 + 4, 33 + 112 + 8, 'latin1'),
  ],
  ['a JPEG with half a scan', halfScan(jpeg)],
  ['a JPEG with half a scan and an end mark', Buffer.concat([halfScan(jpeg), END])],
  ['a JPEG with half a scan and a trailer', Buffer.concat([halfScan(jpeg), samsungTrailer])],
  ['a JPEG that is cut off near its end', jpeg.subarray(0, -20)],
  ['a JPEG with an empty scan', Buffer.concat([jpeg.subarray(0, -scan.length + SCAN_HEAD_BYTES), END])],
  [
    'a JPEG with noise in place of its pixels',
    Buffer.concat([jpeg.subarray(0, -scan.length + SCAN_HEAD_BYTES), noise, END]),
  ],
  ['a JPEG without a scan', Buffer.concat([jpeg.subarray(0, -scan.length), END])],
  [
    'a JPEG without its quantization',
    Buffer.concat([jpeg.subarray(0, 2), ...segments.filter((s) => s[1] !== 0xdb), scan]),
  ],
  ['a JPEG with two frames', jpegWith(jpeg, segments.find((s) => s[1] === 0xc0) ?? zeros)],
  ['a JPEG without a height, which a segment behind it has', jpegChanged(jpeg, 0xc0, (s) => s.fill(0, 5, 7))],
  ['a lossless JPEG', jpegChanged(jpeg, 0xc0, (s) => s.fill(0xc3, 1, 2))],
  ['a JPEG of twelve bits', jpegChanged(jpeg, 0xc0, (s) => s.fill(12, 4, 5))],
  ['a JPEG of a taller image than its scan has', jpegChanged(jpeg, 0xc0, (s) => s.fill(200, 6, 7))],
  ['a progressive JPEG that is cut off in a later scan', upTo(progressive, 0.8)],
  [
    'a progressive JPEG that ends after its first scan',
    progressive.subarray(
      0,
      progressive.indexOf(Buffer.from([0xff, 0xc4]), progressive.indexOf(Buffer.from([0xff, 0xda]))),
    ),
  ],
  ['a JPEG with half of its restart intervals', halfScan(restarts)],
  ['a WebP whose canvas has another size than its frame', extended(300)],
  ['a WebP that is cut off', webp.subarray(0, -20)],
  ['a WebP whose header says less than there is', webpWith(webp).fill(30, 4, 5).fill(0, 5, 8)],
  ['a WebP without pixels', webpWith(webp.subarray(0, 12), webpChunk('EXIF', html))],
  ['a WebP with noise in place of a frame', webpWith(webp.subarray(0, 12), webpChunk('VP8 ', noise))],
  ['a WebP with the header of a frame alone', webpWith(webp.subarray(0, 12), webpChunk('VP8 ', webp.subarray(20, 30)))],
];
for (const [what, bytes] of damaged) {
  test(`${what} is damaged`, async () => assert.equal(await verdictOf(bytes), 'damaged'));
}

describe('the inspection of an image', () => {
  test('lets other work run: no step of it takes long, however many segments or chunks there are', async () => {
    const segment = jpegSegment(0xfe);
    const manySegments = Buffer.concat([
      jpeg.subarray(0, 2),
      Buffer.alloc(segment.length * 200_000, segment),
      jpeg.subarray(2),
    ]);
    const manyChunks = makePng({ before: [Buffer.alloc(12 * 200_000, pngChunk('teSt'))] });
    for (const bytes of [manySegments, manyChunks]) {
      let turns = 0;
      const timer = setInterval(() => (turns += 1), 0);
      assert.match(await verdictOf(bytes), /×/);
      clearInterval(timer);
      assert.ok(turns > 5, `${turns} turns of the event loop`);
    }
  });

  test('ends soon for a file that defines a million tables, or repeats its scans', async () => {
    const table = segments.find((s) => s[1] === 0xc4) ?? zeros;
    const small = jpegSegment(0xc4, Buffer.concat([Buffer.from([0]), Buffer.alloc(16)]));
    assert.equal(
      await verdictOf(jpegWith(jpeg, Buffer.concat([Buffer.alloc(small.length * 200_000, small), table]))),
      '200×152',
    );
    const firstScan = progressive.indexOf(Buffer.from([0xff, 0xda]));
    const next = progressive.indexOf(Buffer.from([0xff, 0xc4]), firstScan);
    const oneScan = progressive.subarray(firstScan, next);
    const repeated = Buffer.concat([
      progressive.subarray(0, firstScan),
      Buffer.alloc(oneScan.length * 300, oneScan),
      END,
    ]);
    assert.equal(await verdictOf(repeated), 'damaged');
  });
});
