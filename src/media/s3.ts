/** Stores finished media in a bucket of any store with the S3 protocol. */
import { contentTypeOf } from '../kernel/content-type.ts';
import { checkMediaKey } from './media-key.ts';
import { createS3Call, type S3Options } from './s3-call.ts';
import { uploadFile } from './s3-upload.ts';
import { storageProblem } from './storage-problem.ts';
import type { ByteRange, MediaStore } from './store.ts';

export type { S3Options } from './s3-call.ts';

/** The store in `bucket`, which must exist; failures are `Problem` ERR_6002. */
export function createS3Store(options: S3Options): MediaStore {
  const call = createS3Call(options);

  const putFile: MediaStore['putFile'] = async (key, path, signal) => {
    checkMediaKey(key);
    signal?.throwIfAborted();
    try {
      return await uploadFile({ call, key, contentType: contentTypeOf(key), signal }, path);
    } catch (error) {
      signal?.throwIfAborted();
      throw storageProblem(error);
    }
  };

  const info: MediaStore['info'] = async (key) => {
    checkMediaKey(key);
    const { status, headers } = await call({ method: 'HEAD', key });
    if (status === 404) return null;
    const modifiedAt = new Date(headers.get('Last-Modified') ?? Number.NaN);
    const bytes = Number(headers.get('Content-Length') ?? Number.NaN);
    const etag = headers.get('ETag')?.replace(/^W\//, '');
    if (!etag || Number.isNaN(bytes) || Number.isNaN(modifiedAt.getTime())) {
      throw storageProblem(new Error('the store described an object without its size, time or tag'));
    }
    return { bytes, etag, modifiedAt };
  };

  const read: MediaStore['read'] = async (key, range) => {
    checkMediaKey(key);
    const headers = range && { Range: `bytes=${range.start}-${range.end}` };
    const answer = await call({ method: 'GET', key, ...(headers && { headers }) });
    const { status, body } = answer;
    if (status === 404 || (range && !isRange(answer, range))) await body?.cancel();
    if (status === 404) return null;
    if (range && !isRange(answer, range)) throw storageProblem(new Error('the store answered with another range'));
    return body ?? new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
  };

  const remove: MediaStore['remove'] = async (key) => {
    checkMediaKey(key);
    const answer = await call({ method: 'DELETE', key });
    await answer.body?.cancel();
  };

  return { putFile, info, read, remove };
}

/** A player would play bytes of another range as if they were the right ones. */
function isRange({ status, headers }: Response, { start, end }: ByteRange): boolean {
  return status === 206 && headers.get('Content-Range')?.startsWith(`bytes ${start}-${end}/`) === true;
}
