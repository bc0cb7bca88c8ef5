/** Lists the objects of an S3 store, and ends uploads in parts that were cut off. */
import { isMediaKey } from './media-key.ts';
import { BUCKETS } from './object-path.ts';
import { FOR_UPKEEP, refusalOf, type S3Call } from './s3-call.ts';
import { elementsIn, textIn } from './s3-xml.ts';
import { StoreRefusal, storageProblem } from './storage-problem.ts';
import type { ListedMedia, MediaStore } from './store.ts';

/** Half of what S3 gives at once: an answer of this size stays far below the longest that is read. */
const PAGE = '500';
const LISTED = /<(?:\w+:)?ListBucketResult[\s/>]/;
const UPLOADS_LISTED = /<(?:\w+:)?ListMultipartUploadsResult[\s/>]/;

type Query = Record<string, string>;

/** In one bucket with a prefix for each of ours, or in a bucket of S3's for each of ours (`s3Bucket` null). */
export function createS3Listing(call: S3Call, s3Bucket: string | null): Pick<MediaStore, 'list' | 'removeUnfinished'> {
  async function* list(bucket: string, after: string | null = null): AsyncGenerator<ListedMedia[]> {
    const [key, prefix, inKeys] = s3Bucket === null ? [bucket, '', `${bucket}/`] : ['', `${bucket}/`, ''];
    const common: Query = { 'list-type': '2', 'max-keys': PAGE, ...(prefix && { prefix }) };
    // Some stores give the object itself again, and some begin anew: that costs a little time, and no object is missed.
    let start: Query = after === null ? {} : { 'start-after': after.slice(inKeys.length) };
    for (let token: string | null = null; ; ) {
      const text = await ask(call, key, { ...common, ...start }, LISTED);
      const objects = elementsIn(text, 'Contents').map((xml) => listedIn(xml, inKeys));
      const ours = objects.filter((object) => isMediaKey(object.key) && object.key !== after);
      if (ours.length > 0) yield ours;
      if (textIn(text, 'IsTruncated') !== 'true') return;
      const next = textIn(text, 'NextContinuationToken');
      if (next === null || next === token) throw storageProblem(new Error('the store does not list on'));
      token = next;
      start = { 'continuation-token': next };
    }
  }

  const removeUnfinished: MediaStore['removeUnfinished'] = async (before) => {
    const places = s3Bucket === null ? BUCKETS.map((bucket) => [bucket, `${bucket}/`] as const) : [['', ''] as const];
    let removed = 0;
    for (const [key, inKeys] of places) {
      for (const unfinished of await unfinishedIn(call, { key, inKeys, before })) {
        await call({
          method: 'DELETE',
          key: unfinished.key,
          query: { uploadId: unfinished.uploadId },
          patience: FOR_UPKEEP,
        });
        removed += 1;
      }
    }
    return removed;
  };

  return { list, removeUnfinished };
}

async function ask(call: S3Call, key: string, query: Query, expects: RegExp): Promise<string> {
  const { status, text } = await call({ method: 'GET', key, query, expects, patience: FOR_UPKEEP });
  if (status === 404) throw storageProblem(new StoreRefusal(404, 'NoSuchBucket'));
  return text;
}

function listedIn(xml: string, inKeys: string): ListedMedia {
  const [key, time] = [textIn(xml, 'Key') ?? '', new Date(textIn(xml, 'LastModified') ?? Number.NaN)];
  if (Number.isNaN(time.getTime())) throw storageProblem(new Error('the store listed an object without its time'));
  return { key: `${inKeys}${key}`, modifiedAt: time };
}

type Unfinished = { key: string; uploadId: string };

/**
 * Of one answer, up to a thousand: the next run finds the others. Without a prefix, with which MinIO lists one key alone. A store that
 * has no such list keeps no parts that could be found.
 */
async function unfinishedIn(
  call: S3Call,
  { key, inKeys, before }: { key: string; inKeys: string; before: Date },
): Promise<Unfinished[]> {
  try {
    return elementsIn(await ask(call, key, { uploads: '' }, UPLOADS_LISTED), 'Upload')
      .map((xml) => ({
        key: `${inKeys}${textIn(xml, 'Key') ?? ''}`,
        uploadId: textIn(xml, 'UploadId') ?? '',
        begunAt: new Date(textIn(xml, 'Initiated') ?? Number.NaN),
      }))
      .filter((upload) => upload.begunAt < before && upload.uploadId !== '' && isOurs(upload.key));
  } catch (error) {
    if ([405, 501].includes(refusalOf(error)?.status ?? 0)) return [];
    throw error;
  }
}

/** Others may keep objects in the same bucket. */
function isOurs(key: string): boolean {
  return isMediaKey(key) && BUCKETS.includes(key.slice(0, key.indexOf('/')));
}
