/** What an MP4 says about itself outside its samples: whether the file is all there, and how long players take it to be. */
import { Buffer } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { openFile } from './open-file.ts';

/**
 * `isWhole`: no list of samples goes on behind the end of the file, and no index names bytes there. `seconds`: how much of it players show, by its header and its edit lists;
 * null in a fragmented file, whose length is that of its fragments. `isSound`: no table claims more samples than it can hold; the
 * library would count them all.
 */
export type Mp4Header = { isWhole: boolean; isSound: boolean; isFragmented: boolean; seconds: number | null };

/** Boxes that list samples. The samples themselves are counted, and bytes that are no box at all may follow the last one. */
const NEEDED = ['moov', 'moof'];
/** The headers of an hour of video have some 2 MB. */
const MOOV_BYTES_MAX = 64 * 1024 * 1024;
const SIDX_BYTES_MAX = 1024 * 1024;

type Box = { type: string; start: number; content: number; end: number };

export async function readMp4Header(path: string): Promise<Mp4Header> {
  await using file = await openFile(path, 'r');
  const { size } = await file.stat();
  const header: Mp4Header = { isWhole: true, isSound: true, isFragmented: false, seconds: null };
  for (let at = 0; at + 8 <= size; ) {
    const box = boxAt(await read(file, at, 16), 0, at, size);
    if (!box) break;
    if (box.end > size && NEEDED.includes(box.type)) header.isWhole = false;
    if (box.type === 'moof') header.isFragmented = true;
    if (box.type === 'moov' && box.end <= size && box.end - box.start <= MOOV_BYTES_MAX) {
      const moov = await read(file, box.content, box.end - box.content);
      header.seconds = shownSeconds(moov);
      header.isSound &&= tracksIn(moov).every((track) => areTablesSound(track, size));
    }
    if (box.type === 'sidx' && box.end <= size && box.end - box.start <= SIDX_BYTES_MAX) {
      const promised = box.end + indexedBytes(await read(file, box.content, box.end - box.content));
      if (promised > size) header.isWhole = false;
    }
    at = box.end;
  }
  if (header.isFragmented) header.seconds = null;
  return header;
}

async function read(file: FileHandle, position: number, bytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, position);
  return buffer.subarray(0, bytesRead);
}

/** The box whose header is at `at` in `bytes`, and at `start` in what ends at `limit`. Null if there is none. */
function boxAt(bytes: Buffer, at: number, start: number, limit: number): Box | null {
  if (at + 8 > bytes.length) return null;
  const type = bytes.toString('latin1', at + 4, at + 8);
  const short = bytes.readUInt32BE(at);
  if (short === 0) return { type, start, content: start + 8, end: limit };
  if (short !== 1) return short < 8 ? null : { type, start, content: start + 8, end: start + short };
  if (at + 16 > bytes.length) return null;
  const long = Number(bytes.readBigUInt64BE(at + 8));
  return long < 16 ? null : { type, start, content: start + 16, end: start + long };
}

function* boxesIn(bytes: Buffer): Generator<{ type: string; content: Buffer }> {
  for (let at = 0; ; ) {
    const box = boxAt(bytes, at, at, bytes.length);
    if (!box) return;
    yield { type: box.type, content: bytes.subarray(box.content, box.end) };
    at = box.end;
  }
}

function inside(bytes: Buffer | undefined, type: string): Buffer | undefined {
  if (!bytes) return undefined;
  for (const box of boxesIn(bytes)) if (box.type === type) return box.content;
  return undefined;
}

function shownSeconds(moov: Buffer): number | null {
  const header = inside(moov, 'mvhd');
  if (!header || header.length < 32) return null;
  const timescale = header.readUInt32BE(header[0] === 1 ? 20 : 12);
  const duration = header[0] === 1 ? Number(header.readBigUInt64BE(24)) : header.readUInt32BE(16);
  if (timescale === 0) return 0;
  let shown = duration;
  for (const track of tracksIn(moov)) {
    if (inside(inside(track, 'mdia'), 'hdlr')?.toString('latin1', 8, 12) !== 'vide') continue;
    shown = Math.min(shown, editedDuration(inside(inside(track, 'edts'), 'elst')) ?? shown);
  }
  return shown / timescale;
}

function tracksIn(moov: Buffer): Buffer[] {
  return [...boxesIn(moov)].filter(({ type }) => type === 'trak').map(({ content }) => content);
}

/** Bytes of an entry of each table that has its number of entries in front of them. */
const ENTRY_BYTES: Record<string, number> = { stts: 8, ctts: 8, stsc: 12, stco: 4, co64: 8, stss: 4 };
/** Tables whose entries begin with how many samples they are for. */
const RUNS = ['stts', 'ctts'];

function areTablesSound(track: Buffer, fileBytes: number): boolean {
  const tables = inside(inside(inside(track, 'mdia'), 'minf'), 'stbl');
  if (!tables) return true;
  const sizes = inside(tables, 'stsz') ?? Buffer.alloc(0);
  const samples = sizes.length >= 12 ? sizes.readUInt32BE(8) : 0;
  const fixed = samples > 0 ? sizes.readUInt32BE(4) : 0;
  if (samples > Math.max(0, fixed > 0 ? fileBytes / fixed : (sizes.length - 12) / 4)) return false;
  for (const { type, content } of boxesIn(tables)) {
    const entryBytes = ENTRY_BYTES[type];
    if (entryBytes === undefined || content.length < 8) continue;
    const entries = content.readUInt32BE(4);
    if (entries > (content.length - 8) / entryBytes) return false;
    let counted = 0;
    for (let entry = 0; RUNS.includes(type) && entry < entries; entry++) counted += content.readUInt32BE(8 + 8 * entry);
    // Files that time a few samples more than there are play.
    if (counted > samples + entries + 100) return false;
  }
  return true;
}

/** In the movie's timescale; null without an edit list. */
function editedDuration(list: Buffer | undefined): number | null {
  if (!list || list.length < 8) return null;
  const entryBytes = list[0] === 1 ? 20 : 12;
  let total = 0;
  for (let at = 8; at + entryBytes <= list.length; at += entryBytes) {
    total += list[0] === 1 ? Number(list.readBigUInt64BE(at)) : list.readUInt32BE(at);
  }
  return total;
}

/** How many bytes behind a segment index it promises. */
function indexedBytes(index: Buffer): number {
  if (index.length < 32) return 0;
  const isWide = index[0] !== 0;
  let at = isWide ? 20 : 16;
  let bytes = isWide ? Number(index.readBigUInt64BE(at)) : index.readUInt32BE(at);
  at += isWide ? 8 : 4;
  const count = index.readUInt16BE(at + 2);
  for (let entry = at + 4; entry + 12 <= index.length && entry < at + 4 + count * 12; entry += 12) {
    bytes += index.readUInt32BE(entry) & 0x7fffffff;
  }
  return bytes;
}
