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

/** Where objects are: in one bucket with a prefix for each of ours, or in a bucket of S3's for each of ours. */
type Place = { key: string; prefix: string; inKeys: string };

export function createS3Listing(call: S3Call, s3Bucket: string | null): Pick<MediaStore, 'list' | 'removeUnfinished'> {
  const placeOf = (bucket: string): Place =>
    s3Bucket === null
      ? { key: bucket, prefix: '', inKeys: `${bucket}/` }
      : { key: '', prefix: `${bucket}/`, inKeys: '' };

  async function* list(bucket: string, after: string | null = null): AsyncGenerator<ListedMedia[]> {
    const { key, prefix, inKeys } = placeOf(bucket);
    for (let last = after?.slice(inKeys.length); ; ) {
      // By the last key and not by the store's token: so a list is taken up again by another process.
      const query = {
        'list-type': '2',
        'max-keys': PAGE,
        ...(prefix && { prefix }),
        ...(last !== undefined && { 'start-after': last }),
      };
      const { status, text } = await call({ method: 'GET', key, query, expects: LISTED, patience: FOR_UPKEEP });
      if (status === 404) throw noBucket();
      const objects = elementsIn(text, 'Contents').map((xml) => listedIn(xml, inKeys));
      const ours = objects.filter(({ key: named }) => isMediaKey(named));
      if (ours.length > 0) yield ours;
      if (textIn(text, 'IsTruncated') !== 'true') return;
      const next = objects.at(-1)?.key.slice(inKeys.length);
      if (next === undefined || next === last) throw storageProblem(new Error('the store does not list on'));
      last = next;
    }
  }

  const removeUnfinished: MediaStore['removeUnfinished'] = async (before) => {
    let removed = 0;
    for (const bucket of BUCKETS) {
      for (const { key, uploadId } of await unfinishedIn(call, placeOf(bucket), before)) {
        await call({ method: 'DELETE', key, query: { uploadId }, patience: FOR_UPKEEP });
        removed += 1;
      }
    }
    return removed;
  };

  return { list, removeUnfinished };
}

function listedIn(xml: string, inKeys: string): ListedMedia {
  const [key, time] = [textIn(xml, 'Key') ?? '', new Date(textIn(xml, 'LastModified') ?? Number.NaN)];
  if (Number.isNaN(time.getTime())) throw storageProblem(new Error('the store listed an object without its time'));
  return { key: `${inKeys}${key}`, modifiedAt: time };
}

type Unfinished = { key: string; uploadId: string };

/** Of one answer, up to a thousand: the next run finds the others. A store without such a list keeps no parts that could be found. */
async function unfinishedIn(call: S3Call, { key, prefix, inKeys }: Place, before: Date): Promise<Unfinished[]> {
  try {
    const query = { uploads: '', ...(prefix && { prefix }) };
    const { status, text } = await call({ method: 'GET', key, query, expects: UPLOADS_LISTED, patience: FOR_UPKEEP });
    if (status === 404) throw noBucket();
    return elementsIn(text, 'Upload')
      .map((xml) => ({
        key: `${inKeys}${textIn(xml, 'Key') ?? ''}`,
        uploadId: textIn(xml, 'UploadId') ?? '',
        begunAt: new Date(textIn(xml, 'Initiated') ?? Number.NaN),
      }))
      .filter((upload) => upload.begunAt < before && upload.uploadId !== '' && isMediaKey(upload.key));
  } catch (error) {
    if ([405, 501].includes(refusalOf(error)?.status ?? 0)) return [];
    throw error;
  }
}

function noBucket(): Error {
  return storageProblem(new StoreRefusal(404, 'NoSuchBucket'));
}
