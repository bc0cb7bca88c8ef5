/** Stores finished media in a bucket of any store with the S3 protocol. */
import { contentTypeOf } from '../kernel/content-type.ts';
import { systemRetryTools } from '../kernel/retry.ts';
import { checkMediaKey } from './media-key.ts';
import { createS3Call, refusalOf, type S3Answer, type S3Call, type S3Options, type S3Request } from './s3-call.ts';
import { createS3Listing } from './s3-listing.ts';
import { uploadFile } from './s3-upload.ts';
import { storageProblem } from './storage-problem.ts';
import { type ByteRange, type MediaStore, STORE_ID_KEY } from './store.ts';

export type { S3Options } from './s3-call.ts';

/** The store in `bucket`, which must exist; failures are `Problem` ERR_6002. */
export function createS3Store(options: S3Options): MediaStore {
  const call = createS3Call(options);
  const find = createFind(call);
  const { tools = systemRetryTools } = options;

  const putFile: MediaStore['putFile'] = async (key, path, signal) => {
    checkMediaKey(key);
    signal?.throwIfAborted();
    try {
      return await uploadFile({ call, tools, key, contentType: contentTypeFor(key), signal }, path);
    } catch (error) {
      signal?.throwIfAborted();
      throw storageProblem(error);
    }
  };

  const info: MediaStore['info'] = async (key) => {
    checkMediaKey(key);
    const found = await find({ method: 'HEAD', key });
    if (!found) return null;
    const { headers } = found;
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
    const found = await find({ method: 'GET', key, ...(headers && { headers }) });
    if (!found) return null;
    if (range && !isRange(found, range)) {
      await found.stream?.cancel();
      throw storageProblem(new Error('the store answered with another range'));
    }
    return found.stream ?? new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
  };

  const remove: MediaStore['remove'] = async (key) => {
    checkMediaKey(key);
    await call({ method: 'DELETE', key });
  };

  return { putFile, info, read, remove, ...createS3Listing(call, options.bucket) };
}

/** Resolves with null if there is no such object. */
function createFind(call: S3Call): (request: S3Request) => Promise<S3Answer | null> {
  return async (request) => {
    try {
      const answer = await call(request);
      return answer.status === 404 ? null : answer;
    } catch (error) {
      if (await isMissing(call, request.key, error)) return null;
      throw error;
    }
  };
}

/**
 * Without the right to list, S3 answers 403 for an object that does not exist. An answer to HEAD gives no reason, so
 * whether these credentials may read at all is asked of the one object that every store has.
 */
async function isMissing(call: S3Call, key: string, error: unknown): Promise<boolean> {
  const refusal = refusalOf(error);
  if (refusal?.status !== 403 || !['', 'AccessDenied'].includes(refusal.code)) return false;
  if (key === STORE_ID_KEY) return true;
  return call({ method: 'HEAD', key: STORE_ID_KEY }).then(
    ({ status }) => status === 200,
    () => false,
  );
}

/** Supabase's bucket for videos takes no other types, and the id's key has no extension. */
function contentTypeFor(key: string): string {
  return contentTypeOf(key === STORE_ID_KEY ? `${key}.mp4` : key);
}

/** A player would play bytes of another range as if they were the right ones. */
function isRange({ status, headers }: S3Answer, { start, end }: ByteRange): boolean {
  return status === 206 && headers.get('Content-Range')?.startsWith(`bytes ${start}-${end}/`) === true;
}
