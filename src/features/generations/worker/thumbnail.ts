import { open, rename, rm } from 'node:fs/promises';
import { MediaFetchError } from '../../../media/fetch-media.ts';
import type { VideoProvider, VideoSource } from '../../../providers/provider.ts';
import type { Context } from '../../context.ts';

/** The first three bytes of a JPEG. The bucket of thumbnails holds only JPEGs. */
const JPEG = [0xff, 0xd8, 0xff];
/** The video is ready and must not wait long for its thumbnail. */
const FETCH_TIMEOUT_MS = 15_000;

/**
 * Replaces our thumbnail at `file` with the provider's own. Ours stays if the provider has none, or if it cannot be fetched
 * or is not a JPEG.
 */
export async function fetchThumbnail(
  ctx: Pick<Context, 'log' | 'mediaFetcherFor'>,
  provider: VideoProvider,
  thumbnail: VideoSource | null,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  if (thumbnail?.from !== 'url') return;
  const fetchedFile = `${file}.fetched`;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]);
  try {
    await ctx.mediaFetcherFor(provider).fetchToFile(thumbnail.url, fetchedFile, provider.mediaHosts, limit);
    if (await isJpeg(fetchedFile)) await rename(fetchedFile, file);
  } catch (error) {
    if (signal.aborted) throw error;
    const cause = error instanceof MediaFetchError ? error.message : 'it did not arrive in time';
    ctx.log.warn({ provider: provider.name, cause }, 'the provider’s thumbnail could not be fetched');
  } finally {
    await rm(fetchedFile, { force: true });
  }
}

async function isJpeg(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(new Uint8Array(JPEG.length), 0, JPEG.length, 0);
    return JPEG.every((byte, at) => buffer[at] === byte);
  } finally {
    await file.close();
  }
}
