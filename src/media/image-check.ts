/** The port that checks uploaded images before they are stored, and its form for runtimes without child processes. */
import { readFile } from 'node:fs/promises';
import { sha256Hex } from '../kernel/hash.ts';
import { createSemaphore } from '../kernel/semaphore.ts';
import { inspectImage } from './image.ts';
import type { Image, ImageFault } from './image-types.ts';

export type CheckedImage = Image & { bytes: number; sha256: string };
export type ImageVerdict = CheckedImage | { fault: ImageFault };

export type ImageCheck = {
  /** Judges the file at `path` by decoding it. Throws `Problem` ERR_6002 when that was not possible, which may pass. */
  check(path: string): Promise<ImageVerdict>;
  close(): Promise<void>;
};

/** Reads and inspects one file. `decodes` decodes a WebP, where the runtime can. */
export async function checkFile(
  path: string,
  decodes: (webp: Uint8Array) => Promise<boolean> = async () => true,
): Promise<ImageVerdict> {
  const bytes = new Uint8Array(await readFile(path));
  const found = await inspectImage(bytes);
  if ('fault' in found) return found;
  if (found.contentType === 'image/webp' && !(await decodes(bytes))) return { fault: 'damaged' };
  return { ...found, bytes: bytes.length, sha256: await sha256Hex(bytes) };
}

/** How many images are in memory at the same time. */
const PARALLEL = 2;

/** Checks images in this process, a bounded number of steps at a time. A WebP is checked without decoding its pixels. */
export function createImageCheckHere(): ImageCheck {
  const withSlot = createSemaphore(PARALLEL);
  return { check: (path) => withSlot(() => checkFile(path)), close: async () => {} };
}
