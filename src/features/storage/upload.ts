import type { ResultOf } from '../../db/database.ts';
import { Problem } from '../../kernel/errors.ts';
import type { CheckedImage } from '../../media/image-check.ts';
import { IMAGE_BOUNDS, IMAGE_TYPES, type ImageFault } from '../../media/image-types.ts';
import { UPLOADS } from '../../media/object-path.ts';
import { storageProblem } from '../../media/storage-problem.ts';
import type { Context } from '../context.ts';
import { deleteFiles } from './delete-files.ts';

const MEGABYTE = 1024 * 1024;
/** What one account may keep: plenty for a person, too little to fill a disk. */
export const UPLOADS_MAX = 200;
/** `unproven`: a guest whose device Apple has not verified; such accounts cost nothing to make. */
const BYTES_MAX = { account: 500 * MEGABYTE, unproven: 50 * MEGABYTE };
const LIMITS = { pictures_max: UPLOADS_MAX, bytes_max: BYTES_MAX.account, bytes_max_unproven: BYTES_MAX.unproven };
/** A store that takes longer for 10 MB counts as unavailable. Far less than the hour after which leftovers are swept. */
const STORE_TIMEOUT_MS = 60_000;

export type UploadInput = {
  userId: string;
  /** In the form that `writablePath` returns. */
  path: string;
  /** The path of the image on this machine. The file is not deleted. */
  file: string;
  /** Whether an existing object is replaced. */
  isUpsert: boolean;
  /** The owner's own words about the object, kept and returned as they are. */
  metadata: object | null;
};

/** Throws what `upload` would throw for an image of so many bytes, before it is there. Nothing is reserved. */
export async function admitUpload(
  ctx: Pick<Context, 'db'>,
  { userId, path, isUpsert, bytes }: Pick<UploadInput, 'userId' | 'path' | 'isUpsert'> & { bytes: number },
): Promise<void> {
  const admitted = await ctx.db.call('admit_upload', { user_id: userId, path, bytes, upsert: isUpsert, ...LIMITS });
  if (admitted.outcome !== 'admitted') throw uploadProblem(admitted);
}

/** Checks an image and stores it under its path. Of concurrent uploads to one path the last one stays, file and row. */
export async function upload(
  ctx: Pick<Context, 'db' | 'imageCheck' | 'log' | 'media'>,
  { userId, path, file, isUpsert, metadata }: UploadInput,
) {
  const image = await inspect(ctx, file);
  const begun = await ctx.db.call('begin_upload', {
    user_id: userId,
    path,
    content_type: image.contentType,
    bytes: image.bytes,
    width: image.width,
    height: image.height,
    sha256: image.sha256,
    upsert: isUpsert,
    metadata,
    ...LIMITS,
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

async function inspect(ctx: Pick<Context, 'imageCheck'>, file: string): Promise<CheckedImage> {
  const found = await ctx.imageCheck.check(file);
  if ('fault' in found) throw imageProblem(found.fault);
  return found;
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

function uploadProblem(refused: Exclude<ResultOf<'admit_upload'>, { outcome: 'admitted' }>): Problem {
  switch (refused.outcome) {
    case 'exists':
      return alreadyExists();
    case 'banned':
      return new Problem('ERR_4013');
    case 'user_not_found':
      return new Problem('ERR_4005');
    case 'full':
      return new Problem('ERR_4008', {
        details: { reason: 'uploads_full', pictures_max: refused.pictures_max, bytes_max: refused.bytes_max },
      });
  }
}

function alreadyExists(): Problem {
  return new Problem('ERR_4008', { details: { reason: 'exists' } });
}
