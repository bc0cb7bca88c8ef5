/** Uploads a file to an S3 store: a small one in one request, others in parts, so that memory holds only one part. */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { type RetryPolicy, type RetryTools, retry, type TryResult } from '../kernel/retry.ts';
import { collectYoung } from '../platform/garbage-collection.ts';
import { openFile } from './open-file.ts';
import { FOR_COMPLETION, FOR_UPLOADS, NEVER_ABORTED, type S3Call, type S3Request } from './s3-call.ts';
import { unescapeXml } from './s3-xml.ts';
import { StoreRefusal, storageProblem } from './storage-problem.ts';
import type { StoredMedia } from './store.ts';

/** The smallest part that S3 allows; with its maximum of 10,000 parts, files can have 50 GB. */
const PART_BYTES = 5 * 1024 * 1024;

const UPLOAD_ID = /<(?:\w+:)?UploadId>\s*([^<\s]+)\s*<\//;
const COMPLETION = /<(?:\w+:)?CompleteMultipartUploadResult[\s/>]/;
/** Two seconds in all. */
const LOOKS: RetryPolicy = { triesMax: 5, baseMs: 100, maxMs: 1_000, tryTimeoutMs: null };

type Part = { number: number; etag: string };
type Upload = {
  call: S3Call;
  tools: RetryTools;
  key: string;
  contentType: string;
  signal: AbortSignal | undefined;
};

/**
 * An object appears only when it is complete: S3 shows it after its put, or after its upload in parts was completed. What the
 * store answers is not believed: the object counts once the store shows it with its size.
 */
export async function uploadFile(upload: Upload, path: string): Promise<StoredMedia> {
  await using file = await openFile(path, 'r');
  // One buffer for all parts: each is uploaded before the next one is read.
  const buffer = new Uint8Array(PART_BYTES);
  const first = await readPart(file, 0, buffer);
  return first.length < PART_BYTES
    ? await uploadWhole(upload, first)
    : await uploadInParts(upload, file, first, buffer);
}

async function uploadWhole(upload: Upload, body: Uint8Array<ArrayBuffer>): Promise<StoredMedia> {
  await putWhole(upload, body);
  if (!(await isShown(upload, body.length))) throw notShown();
  return { bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') };
}

async function uploadInParts(
  upload: Upload,
  file: FileHandle,
  first: Uint8Array<ArrayBuffer>,
  buffer: Uint8Array<ArrayBuffer>,
): Promise<StoredMedia> {
  const hash = createHash('sha256');
  const uploadId = await beginUpload(upload);
  try {
    const parts: Part[] = [];
    let bytes = 0;
    for (let part = first; part.length > 0; part = await readPart(file, bytes, buffer)) {
      hash.update(part);
      parts.push(await putPart(upload, uploadId, parts.length + 1, part));
      bytes += part.length;
      collectYoung();
    }
    // A completion whose answer was lost is refused when it is repeated: only the object itself tells.
    const failure = await completeUpload(upload, uploadId, parts);
    if (!(await isShown(upload, bytes))) throw failure ?? notShown();
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
  const { status } = await call({ method: 'PUT', key, headers, body, signal, patience: FOR_UPLOADS });
  if (status === 404) throw noBucket();
}

async function beginUpload({ call, key, contentType, signal }: Upload): Promise<string> {
  const { status, text } = await call({
    method: 'POST',
    key,
    query: { uploads: '' },
    headers: { 'Content-Type': contentType },
    signal,
    expects: UPLOAD_ID,
    patience: FOR_UPLOADS,
  });
  if (status === 404) throw noBucket();
  return unescapeXml(UPLOAD_ID.exec(text)?.[1] ?? '');
}

async function putPart(
  { call, key, signal }: Upload,
  uploadId: string,
  number: number,
  body: Uint8Array<ArrayBuffer>,
): Promise<Part> {
  const query = { partNumber: String(number), uploadId };
  const { status, headers } = await call({ method: 'PUT', key, query, body, signal, patience: FOR_UPLOADS });
  const etag = headers.get('ETag');
  if (status === 404 || !etag) throw storageProblem(new Error('the store lost an upload'));
  return { number, etag };
}

/** Why the store did not complete the upload, as far as its answers say; null if it says that it did. */
async function completeUpload({ call, key, signal }: Upload, uploadId: string, parts: Part[]): Promise<Error | null> {
  const list = parts.map(({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`);
  const body = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`;
  const request: S3Request = { method: 'POST', key, query: { uploadId }, body, signal };
  try {
    // S3 may answer 200 at once, and report a later failure in the body or not at all.
    const { status } = await call({ ...request, expects: COMPLETION, patience: FOR_COMPLETION });
    return status === 404 ? storageProblem(new Error('the store lost an upload')) : null;
  } catch (error) {
    signal?.throwIfAborted();
    return storageProblem(error);
  }
}

/** Whether the store itself shows the object, with its size. Some stores show a new object only after a moment. */
async function isShown({ call, tools, key, signal }: Upload, bytes: number): Promise<boolean> {
  const look = async (): Promise<TryResult<Error | boolean>> => {
    const answer = await call({ method: 'HEAD', key, signal, patience: FOR_UPLOADS }).catch(storageProblem);
    if (answer instanceof Error) return { answer, isRetryable: false, retryAfterMs: null };
    const length = answer.headers.get('Content-Length');
    const isThere = answer.status === 200 && length !== null && Number(length) === bytes;
    return { answer: isThere, isRetryable: !isThere, retryAfterMs: null };
  };
  const { answer } = await retry(look, tools, signal ?? NEVER_ABORTED, LOOKS);
  if (answer instanceof Error) throw answer;
  return answer;
}

function notShown(): Error {
  return storageProblem(new Error('the store does not show the object that it took'));
}

function noBucket(): Error {
  return storageProblem(new StoreRefusal(404, 'NoSuchBucket'));
}
