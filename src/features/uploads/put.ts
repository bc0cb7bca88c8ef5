import { readFile } from 'node:fs/promises';
import { sha256Hex } from '../../kernel/canonical-json.ts';
import { Problem } from '../../kernel/errors.ts';
import { createTurns } from '../../kernel/turns.ts';
import { inspectPicture, PICTURE_BOUNDS, PICTURE_TYPES, type Picture, type PictureFault } from '../../media/picture.ts';
import { uploadKey } from '../../media/picture-key.ts';
import type { Context } from '../context.ts';
import { discard } from './discard.ts';
import { UPLOADS } from './object-path.ts';

/** What one account may keep: plenty for people, little for whoever wants to fill a disk. */
export const PICTURES_MAX = 200;
const BYTES_TOTAL_MAX = 500 * 1024 * 1024;
/** A store that takes longer for ten megabytes is not there. Far less than the hour after which leftovers are swept. */
const STORE_TIMEOUT_MS = 60_000;
/** So many pictures are in memory at a time. */
const inTurn = createTurns(4);

export type PutInput = {
  userId: string;
  /** As `writablePath` gives it. */
  path: string;
  /** The picture on this machine; it stays there. */
  file: string;
  /** Whether one that is there already gives way. */
  isUpsert: boolean;
};

type Begun =
  | { outcome: 'begun'; id: string }
  | { outcome: 'exists' | 'user_not_found' | 'banned' }
  | { outcome: 'full'; pictures_max: number; bytes_max: number };
type Finished =
  | { outcome: 'stored'; replaced: { id: string; user_id: string; content_type: string } | null }
  | { outcome: 'exists' | 'gone' };

/** Keeps a picture under its owner's name for it. Of writers at once the last one stays, file and row alike. */
export async function putUpload(ctx: Context, { userId, path, file, isUpsert }: PutInput) {
  const picture = await inTurn(() => inspect(file));
  const begun = await ctx.db.call<Begun>('begin_upload', {
    user_id: userId,
    path,
    content_type: picture.contentType,
    bytes: picture.bytes,
    width: picture.width,
    height: picture.height,
    sha256: picture.sha256,
    upsert: isUpsert,
    pictures_max: PICTURES_MAX,
    bytes_max: BYTES_TOTAL_MAX,
  });
  if (begun.outcome !== 'begun') throw refusalOf(begun);
  const row = { id: begun.id, user_id: userId, content_type: picture.contentType };
  await ctx.media.putFile(uploadKey(row), file, AbortSignal.timeout(STORE_TIMEOUT_MS)).catch(async (error) => {
    await discard(ctx, [row]);
    throw error;
  });
  // Where its answer is lost the picture is there, or is swept: nothing may be removed on a guess.
  const finished = await ctx.db.call<Finished>('finish_upload', { id: row.id, path, upsert: isUpsert });
  if (finished.outcome === 'stored') {
    if (finished.replaced) await discard(ctx, [finished.replaced]);
    return { id: row.id, key: `${UPLOADS}/${path}` };
  }
  await discard(ctx, [row]);
  if (finished.outcome === 'exists') throw alreadyThere();
  throw new Problem('ERR_6002', { cause: 'the upload was given up meanwhile' });
}

type Inspected = Picture & { bytes: number; sha256: string };

async function inspect(file: string): Promise<Inspected> {
  const bytes = new Uint8Array(await readFile(file));
  const found = inspectPicture(bytes);
  if ('fault' in found) throw faultOf(found.fault);
  return { ...found, bytes: bytes.length, sha256: await sha256Hex(bytes) };
}

function faultOf(fault: PictureFault): Problem {
  const { sideMin, sideMax, pixelsMax } = PICTURE_BOUNDS;
  if (fault === 'side') {
    const allowed = { minimum: sideMin, maximum: sideMax };
    return new Problem('ERR_4006', { details: { field: 'file', reason: 'picture_side', allowed } });
  }
  if (fault === 'pixels') {
    return new Problem('ERR_4006', {
      details: { field: 'file', reason: 'picture_pixels', allowed: { maximum: pixelsMax } },
    });
  }
  const details = { field: 'file', allowed: [...PICTURE_TYPES], ...(fault === 'other' ? {} : { reason: fault }) };
  return new Problem('ERR_4015', { details });
}

function refusalOf(begun: Exclude<Begun, { outcome: 'begun' }>): Problem {
  switch (begun.outcome) {
    case 'exists':
      return alreadyThere();
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

function alreadyThere(): Problem {
  return new Problem('ERR_4008', { details: { reason: 'exists' } });
}
