/** The picture that a generation animates: found among the caller's own uploads, checked, and handed to the provider. */

import { contentTypeOf } from '../../kernel/content-type.ts';
import { Problem } from '../../kernel/errors.ts';
import { sha256Hex } from '../../kernel/hash.ts';
import { inspectImage } from '../../media/image.ts';
import { IMAGE_TYPES, type Image } from '../../media/image-types.ts';
import { parseImageUrl, UPLOAD_BYTES_MAX, UPLOADS } from '../../media/object-path.ts';
import type { SourceImage, VideoProvider } from '../../providers/provider.ts';
import type { Context } from '../context.ts';

/** What image-to-video models take: with fewer pixels, or drawn out further, they refuse or make mud of it. */
export const SOURCE_BOUNDS = { sideMin: 256, ratioMax: 2.4 } as const;
/** Of an address, from when the job was paid for; and beyond its deadline, for a provider whose clock is slow. */
const ADDRESS_SECONDS = { min: 600, extra: 60 };

/** The path of the picture in its bucket, as the job keeps it; null for a model that takes none. Else ERR_4006. */
export async function checkImage(
  ctx: Pick<Context, 'db' | 'media'>,
  { userId, imageUrl, isRequired }: { userId: string; imageUrl: string | null; isRequired: boolean },
): Promise<string | null> {
  if (!isRequired && imageUrl === null) return null;
  if (!isRequired) throw refusal();
  if (imageUrl === null) throw refusal({ reason: 'missing' });
  const named = parseImageUrl(imageUrl);
  const found = named?.ownerId === userId ? await findPicture(ctx, named.path) : null;
  if (!named || !found) throw refusal({ reason: 'picture_unknown' });
  const [short, long] = [Math.min(found.width, found.height), Math.max(found.width, found.height)];
  const { sideMin, ratioMax } = SOURCE_BOUNDS;
  if (short < sideMin) throw refusal({ reason: 'picture_small', allowed: { minimum: sideMin } });
  if (long > short * ratioMax)
    throw refusal({ reason: 'picture_shape', allowed: { ratio: `1:${ratioMax} – ${ratioMax}:1` } });
  return named.path;
}

function refusal(details: object = {}): Problem {
  return new Problem('ERR_4006', { details: { field: 'image_url', ...details } });
}

type Found = Image & { key: string; sha256: string };

/** By our row; or the object itself where Supabase's own Storage took it, which has rows of its own and checks little. */
async function findPicture(ctx: Pick<Context, 'db' | 'media'>, path: string): Promise<Found | null> {
  const row = await ctx.db.read
    .selectFrom('uploads')
    .select(['file', 'content_type', 'width', 'height', 'sha256'])
    .where('path', '=', path)
    .where('stored_at', 'is not', null)
    .executeTakeFirst();
  if (row) {
    const { file, width, height, sha256 } = row;
    return { key: file, contentType: typeOf(row.content_type), width, height, sha256 };
  }
  const key = `${UPLOADS}/${path}`;
  const bytes = await readPicture(ctx, key);
  const picture = bytes && inspectImage(bytes);
  return picture && !('fault' in picture) ? { ...picture, key, sha256: await sha256Hex(bytes) } : null;
}

/** Null where there is none, or more than a picture. */
async function readPicture(ctx: Pick<Context, 'media'>, key: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const info = await ctx.media.info(key);
  if (info === null || info.bytes > UPLOAD_BYTES_MAX) return null;
  const stream = await ctx.media.read(key);
  return stream && new Uint8Array(await new Response(stream).arrayBuffer());
}

type PictureJob = {
  path: string;
  provider: VideoProvider | null;
  createdAt: Date;
  deadlineAt: Date;
  /** The provider has it: nobody asks for the picture any more, but its address is still to be kept out of logs. */
  isSent: boolean;
};

/** The picture as its provider gets it: at an address that opens until the deadline, where it can reach this server. */
export async function sourceImage(
  ctx: Pick<Context, 'callbackUrl' | 'clock' | 'db' | 'media' | 'mediaSigner'>,
  job: PictureJob,
): Promise<SourceImage> {
  const found = job.isSent ? null : await findPicture(ctx, job.path);
  return {
    url: found || job.isSent ? await addressOf(ctx, job) : null,
    contentType: found?.contentType ?? typeOf(contentTypeOf(job.path)),
    fileName: job.path.slice(job.path.lastIndexOf('/') + 1),
    async load(signal) {
      signal.throwIfAborted();
      const bytes = found && (await readPicture(ctx, found.key));
      // What Supabase's Storage keeps may have been replaced since it was looked at.
      if (!bytes || (await sha256Hex(bytes)) !== found.sha256) throw new Error('the picture is no longer there');
      return bytes;
    },
  };
}

async function addressOf(
  ctx: Pick<Context, 'callbackUrl' | 'clock' | 'mediaSigner'>,
  { path, provider, createdAt, deadlineAt }: PictureJob,
): Promise<string | null> {
  const base = provider && ctx.callbackUrl(provider);
  if (base === null) return null;
  const key = `${UPLOADS}/${path}`;
  const seconds = (date: Date) => Math.floor(date.getTime() / 1000);
  // The same address every time it is made: one that a vendor quotes is known for what it is, and kept out of the log.
  const until = Math.max(seconds(createdAt) + ADDRESS_SECONDS.min, seconds(deadlineAt) + ADDRESS_SECONDS.extra);
  const token = await ctx.mediaSigner.sign(key, until - seconds(ctx.clock.now()));
  return `${base}/storage/v1/object/sign/${key}?token=${token}`;
}

/** The column's check admits exactly these; a name may promise anything. */
function typeOf(text: string): Image['contentType'] {
  return IMAGE_TYPES.find((type) => type === text) ?? 'image/jpeg';
}
