/** The image of image-to-video: found among the caller's own uploads, checked, and passed to the provider. */

import { contentTypeOf } from '../../kernel/content-type.ts';
import { Problem } from '../../kernel/errors.ts';
import { sha256Hex } from '../../kernel/hash.ts';
import { IMAGE_TYPES, type Image } from '../../media/image-types.ts';
import { encodePath, parseImageUrl, UPLOADS } from '../../media/object-path.ts';
import type { SourceImage, VideoProvider } from '../../providers/provider.ts';
import type { Context } from '../context.ts';

/** What image-to-video models accept. They decline smaller or more elongated images, or make poor videos of them. */
export const SOURCE_BOUNDS = { sideMin: 256, ratioMax: 2.4 } as const;
/** How long an image's URL is valid: `min` from the charge, and `extra` past the deadline for a provider's slow clock. */
const URL_SECONDS = { min: 600, extra: 60 };

/** Returns the image's path in its bucket; null for a model that takes no image. Throws ERR_4006 for an unusable image. */
export async function checkImage(
  ctx: Pick<Context, 'db'>,
  { userId, imageUrl, isRequired }: { userId: string; imageUrl: string | null; isRequired: boolean },
): Promise<string | null> {
  if (!isRequired && imageUrl === null) return null;
  if (!isRequired) throw invalidImage();
  if (imageUrl === null) throw invalidImage({ reason: 'missing' });
  const named = parseImageUrl(imageUrl);
  const found = named && (await findImage(ctx, named.path, userId));
  if (!named || !found) throw invalidImage({ reason: 'picture_unknown' });
  const [short, long] = [Math.min(found.width, found.height), Math.max(found.width, found.height)];
  const { sideMin, ratioMax } = SOURCE_BOUNDS;
  if (short < sideMin) throw invalidImage({ reason: 'picture_small', allowed: { minimum: sideMin } });
  if (long > short * ratioMax)
    throw invalidImage({ reason: 'picture_shape', allowed: { ratio: `1:${ratioMax} – ${ratioMax}:1` } });
  return named.path;
}

function invalidImage(details: object = {}): Problem {
  return new Problem('ERR_4006', { details: { field: 'image_url', ...details } });
}

type Found = Image & { key: string; sha256: string };

/** `userId`: only among the uploads of this account. */
async function findImage(ctx: Pick<Context, 'db'>, path: string, userId?: string): Promise<Found | null> {
  const row = await ctx.db.read
    .selectFrom('uploads')
    .select(['file', 'content_type', 'width', 'height', 'sha256'])
    .where('path', '=', path)
    .where('stored_at', 'is not', null)
    .$if(userId !== undefined, (uploads) => uploads.where('user_id', '=', userId ?? ''))
    .executeTakeFirst();
  if (!row) return null;
  const { file, width, height, sha256 } = row;
  return { key: file, contentType: typeOf(row.content_type), width, height, sha256 };
}

/** Returns null if there is no such object. */
async function readImage(ctx: Pick<Context, 'media'>, key: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const stream = await ctx.media.read(key);
  return stream && new Uint8Array(await new Response(stream).arrayBuffer());
}

type ImageJob = {
  path: string;
  provider: VideoProvider | null;
  createdAt: Date;
  deadlineAt: Date;
  /** Whether the provider has the job. The image is then not needed any more, but its URL must stay out of logs. */
  isSent: boolean;
};

/** Returns the image for its provider, with a URL until after the deadline if the provider can reach this server. */
export async function sourceImage(
  ctx: Pick<Context, 'callbackUrl' | 'clock' | 'db' | 'media' | 'mediaSigner'>,
  job: ImageJob,
): Promise<SourceImage> {
  const found = job.isSent ? null : await findImage(ctx, job.path);
  return {
    url: found || job.isSent ? await imageUrlOf(ctx, job) : null,
    contentType: found?.contentType ?? typeOf(contentTypeOf(job.path)),
    fileName: job.path.slice(job.path.lastIndexOf('/') + 1),
    async load(signal) {
      signal.throwIfAborted();
      const bytes = found && (await readImage(ctx, found.key));
      if (!bytes || (await sha256Hex(bytes)) !== found.sha256) throw new Error('the image is no longer there');
      return bytes;
    },
  };
}

async function imageUrlOf(
  ctx: Pick<Context, 'callbackUrl' | 'clock' | 'mediaSigner'>,
  { path, provider, createdAt, deadlineAt }: ImageJob,
): Promise<string | null> {
  const base = provider && ctx.callbackUrl(provider);
  if (base === null) return null;
  const key = `${UPLOADS}/${path}`;
  const seconds = (date: Date) => Math.floor(date.getTime() / 1000);
  // The same URL every time, so that a URL that a vendor quotes in a message is recognised and kept out of the log.
  const expiresAt = Math.max(seconds(createdAt) + URL_SECONDS.min, seconds(deadlineAt) + URL_SECONDS.extra);
  const token = await ctx.mediaSigner.sign(key, expiresAt - seconds(ctx.clock.now()));
  return `${base}/storage/v1/object/sign/${encodePath(key)}?token=${token}`;
}

/** A check on the column allows only these types. Any other, from a file's name, counts as JPEG. */
function typeOf(text: string): Image['contentType'] {
  return IMAGE_TYPES.find((type) => type === text) ?? 'image/jpeg';
}
