import { readFile } from 'node:fs/promises';
import type { ResultOf } from '../../db/database.ts';
import { Problem } from '../../kernel/errors.ts';
import { sha256Hex } from '../../kernel/hash.ts';
import { createSemaphore } from '../../kernel/semaphore.ts';
import { IMAGE_BOUNDS, inspectImage } from '../../media/image.ts';
import { IMAGE_TYPES, type Image, type ImageFault } from '../../media/image-types.ts';
import { UPLOADS } from '../../media/object-path.ts';
import { storageProblem } from '../../media/storage-problem.ts';
import type { Context } from '../context.ts';
import { deleteFiles } from './delete-files.ts';

/** What one account may keep: plenty for a person, too little to fill a disk. */
export const UPLOADS_MAX = 200;
const BYTES_TOTAL_MAX = 500 * 1024 * 1024;
/** A store that takes longer for 10 MB counts as unavailable. Far less than the hour after which leftovers are swept. */
const STORE_TIMEOUT_MS = 60_000;
/** How many images are in memory at the same time. */
const withSlot = createSemaphore(4);

export type UploadInput = {
  userId: string;
  /** In the form that `writablePath` returns. */
  path: string;
  /** The path of the image on this machine. The file is not deleted. */
  file: string;
  /** Whether an existing object is replaced. */
  isUpsert: boolean;
};

/** Checks an image and stores it under its path. Of concurrent uploads to one path the last one stays, file and row. */
export async function upload(
  ctx: Pick<Context, 'db' | 'log' | 'media'>,
  { userId, path, file, isUpsert }: UploadInput,
) {
  const image = await withSlot(() => inspect(file));
  const begun = await ctx.db.call('begin_upload', {
    user_id: userId,
    path,
    content_type: image.contentType,
    bytes: image.bytes,
    width: image.width,
    height: image.height,
    sha256: image.sha256,
    upsert: isUpsert,
    pictures_max: UPLOADS_MAX,
    bytes_max: BYTES_TOTAL_MAX,
  });
  if (begun.outcome !== 'begun') throw uploadProblem(begun);
  await ctx.media.putFile(begun.file, file, AbortSignal.timeout(STORE_TIMEOUT_MS)).catch(async (error) => {
    await deleteFiles(ctx, [begun]);
    throw storageProblem(error);
  });
  // If its answer is lost, the image is stored or will be swept. Deleting it here could delete a stored image.
  const finished = await ctx.db.call('finish_upload', { id: begun.id, path, upsert: isUpsert });
  if (finished.outcome === 'stored') {
    if (finished.replaced) await deleteFiles(ctx, [finished.replaced]);
    return { id: begun.id, key: `${UPLOADS}/${path}` };
  }
  await deleteFiles(ctx, [begun]);
  if (finished.outcome === 'exists') throw alreadyExists();
  throw new Problem('ERR_6002', { cause: 'the upload was removed meanwhile' });
}

type Inspected = Image & { bytes: number; sha256: string };

async function inspect(file: string): Promise<Inspected> {
  const bytes = new Uint8Array(await readFile(file));
  const found = inspectImage(bytes);
  if ('fault' in found) throw imageProblem(found.fault);
  return { ...found, bytes: bytes.length, sha256: await sha256Hex(bytes) };
}

function imageProblem(fault: ImageFault): Problem {
  const { sideMin, sideMax, pixelsMax } = IMAGE_BOUNDS;
  if (fault === 'side') {
    const allowed = { minimum: sideMin, maximum: sideMax };
    return new Problem('ERR_4006', { details: { field: 'file', reason: 'picture_side', allowed } });
  }
  if (fault === 'pixels') {
    return new Problem('ERR_4006', {
      details: { field: 'file', reason: 'picture_pixels', allowed: { maximum: pixelsMax } },
    });
  }
  const details = { field: 'file', allowed: [...IMAGE_TYPES], ...(fault === 'other' ? {} : { reason: fault }) };
  return new Problem('ERR_4015', { details });
}

function uploadProblem(begun: Exclude<ResultOf<'begin_upload'>, { outcome: 'begun' }>): Problem {
  switch (begun.outcome) {
    case 'exists':
      return alreadyExists();
    case 'banned':
      return new Problem('ERR_4013');
    case 'user_not_found':
      return new Problem('ERR_4005');
    case 'full':
      return new Problem('ERR_4008', {
        details: { reason: 'uploads_full', pictures_max: begun.pictures_max, bytes_max: begun.bytes_max },
      });
  }
}

function alreadyExists(): Problem {
  return new Problem('ERR_4008', { details: { reason: 'exists' } });
}
