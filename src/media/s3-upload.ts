/** Uploads a file to an S3 store: a small one in one request, others in parts, so that memory holds only one part. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { collectYoung } from '../platform/garbage-collection.ts';
import { openFile } from './open-file.ts';
import type { S3Call } from './s3-call.ts';
import { storageProblem } from './storage-problem.ts';
import type { StoredMedia } from './store.ts';

/** The smallest part that S3 allows; with its maximum of 10,000 parts, files can have 50 GB. */
const PART_BYTES = 5 * 1024 * 1024;

type Part = { number: number; etag: string };
type Upload = { call: S3Call; key: string; contentType: string; signal: AbortSignal | undefined };

/** An object appears only when it is complete: S3 shows it after its put, or after its upload in parts was completed. */
export async function uploadFile(upload: Upload, path: string): Promise<StoredMedia> {
  await using file = await openFile(path, 'r');
  const hash = createHash('sha256');
  // One buffer for all parts: each is uploaded before the next one is read.
  const buffer = new Uint8Array(PART_BYTES);
  const first = await readPart(file, 0, buffer);
  hash.update(first);
  if (first.length < PART_BYTES) {
    await putWhole(upload, first);
    return { bytes: first.length, sha256: hash.digest('hex') };
  }
  const uploadId = await beginUpload(upload);
  try {
    const parts: Part[] = [];
    let bytes = 0;
    for (let part = first; part.length > 0; part = await readPart(file, bytes, buffer)) {
      if (bytes > 0) hash.update(part);
      parts.push(await putPart(upload, uploadId, parts.length + 1, part));
      bytes += part.length;
      collectYoung();
    }
    await completeUpload(upload, uploadId, parts);
    return { bytes, sha256: hash.digest('hex') };
  } catch (error) {
    // The parts of an incomplete upload cost money until the upload is aborted.
    await upload.call({ method: 'DELETE', key: upload.key, query: { uploadId } }).catch(() => {});
    throw error;
  }
}

async function readPart(
  file: FileHandle,
  position: number,
  buffer: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

async function putWhole({ call, key, contentType, signal }: Upload, body: Uint8Array<ArrayBuffer>): Promise<void> {
  const headers = { 'Content-Type': contentType };
  const answer = await call({ method: 'PUT', key, headers, body, signal });
  if (answer.status === 404) throw noBucket();
  await answer.body?.cancel();
}

async function beginUpload({ call, key, contentType, signal }: Upload): Promise<string> {
  const headers = { 'Content-Type': contentType };
  const answer = await call({ method: 'POST', key, query: { uploads: '' }, headers, signal });
  if (answer.status === 404) throw noBucket();
  const uploadId = /<UploadId>([^<]+)<\/UploadId>/.exec(await answer.text())?.[1];
  if (!uploadId) throw storageProblem(new Error('the store began an upload without an id'));
  return unescapeXml(uploadId);
}

async function putPart(
  { call, key, signal }: Upload,
  uploadId: string,
  number: number,
  body: Uint8Array<ArrayBuffer>,
): Promise<Part> {
  const query = { partNumber: String(number), uploadId };
  const answer = await call({ method: 'PUT', key, query, body, signal });
  await answer.body?.cancel();
  const etag = answer.headers.get('ETag');
  if (answer.status === 404 || !etag) throw storageProblem(new Error('the store lost an upload'));
  return { number, etag };
}

async function completeUpload({ call, key, signal }: Upload, uploadId: string, parts: Part[]): Promise<void> {
  const list = parts.map(({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`);
  const body = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`;
  const answer = await call({ method: 'POST', key, query: { uploadId }, body, signal });
  // S3 may answer 200 at once and report a later failure in the body.
  const failure = /<Error>.*?<Code>(\w+)/s.exec(await answer.text())?.[1];
  if (answer.status === 404 || failure) throw storageProblem(new Error(`the upload failed: ${failure ?? 'unknown'}`));
}

function noBucket(): Error {
  return storageProblem(new Error('the store has no such bucket'));
}

function unescapeXml(text: string): string {
  const plain: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => plain[name] ?? '');
}
