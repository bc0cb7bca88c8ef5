/** Writes the file in a request body, raw or in a form, to disk. Nothing is held in memory while it arrives. */
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../kernel/errors.ts';
import { createSemaphore } from '../kernel/semaphore.ts';
import { drain, readChunk } from './body.ts';
import { rejectEncoding } from './content-encoding.ts';
import { readFormFile } from './form-file.ts';

export type ReceiveOptions = {
  /** An existing folder. */
  folder: string;
  bytesMax: number;
  /** A file name that is unique in the folder. */
  name: string;
};

/** What a form may hold besides the file: its own lines and a few short fields. */
const FORM_BYTES_MAX = 64 * 1024;
/** Two at a time: a form is read into memory as a whole to find its file. */
const withSlot = createSemaphore(2);

/** `metadata`: the text of the form's field of that name; null without one. */
export type ReceivedFile = { path: string; metadata: string | null };

/**
 * Returns the path of the file, which the caller deletes. Throws ERR_4014 if it is longer than `bytesMax`, ERR_4006 if there
 * is none, ERR_4015 if it is compressed; no file is left on disk then.
 */
export async function receiveFile(request: Request, { folder, bytesMax, name }: ReceiveOptions): Promise<ReceivedFile> {
  rejectEncoding(request.headers);
  const path = join(folder, name);
  const type = request.headers.get('Content-Type') ?? '';
  const isForm = isFormType(type);
  try {
    const bytes = await save(request, path, bytesMax, isForm ? bytesMax + FORM_BYTES_MAX : bytesMax);
    if (bytes === 0) throw missing();
    const metadata = isForm ? await withSlot(() => keepFilePart(path, type, bytesMax)) : null;
    return { path, metadata };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

function fileTooLarge(bytesMax: number): Problem {
  return new Problem('ERR_4014', { details: { field: 'file', bytes_max: bytesMax } });
}

/** How many bytes the file of this request has at least, before it is read; 0 if its length is not given. */
export function announcedBytes(headers: Headers): number {
  const bytes = Math.trunc(Number(headers.get('Content-Length'))) || 0;
  return Math.max(0, bytes - (isFormType(headers.get('Content-Type') ?? '') ? FORM_BYTES_MAX : 0));
}

function isFormType(type: string): boolean {
  return /^\s*multipart\/form-data\b/i.test(type);
}

function missing(): Problem {
  return new Problem('ERR_4006', { details: { field: 'file', reason: 'missing' } });
}

/** Returns the number of bytes written. */
async function save(request: Request, path: string, bytesMax: number, bodyBytesMax: number): Promise<number> {
  const tooLarge = () => fileTooLarge(bytesMax);
  // Before the body is touched, so that the adapter can drain it by itself.
  if (Number(request.headers.get('Content-Length')) > bodyBytesMax) throw tooLarge();
  if (request.body === null) return 0;
  const reader = request.body.getReader();
  const file = await open(path, 'wx', 0o600);
  try {
    for (let bytes = 0; ; ) {
      const { done, value } = await readChunk(reader);
      if (done) return bytes;
      bytes += value.byteLength;
      if (bytes > bodyBytesMax) {
        await drain(reader);
        throw tooLarge();
      }
      await file.write(value);
    }
  } finally {
    // Not cancelled: that would close the connection.
    reader.releaseLock();
    await file.close();
  }
}

/** Returns the form's metadata. */
async function keepFilePart(path: string, type: string, bytesMax: number): Promise<string | null> {
  const { file, metadata } = readFormFile(await readFile(path), type);
  if (file === null || file.byteLength === 0) throw missing();
  if (file.byteLength > bytesMax) throw fileTooLarge(bytesMax);
  await writeFile(path, file);
  return metadata;
}
