import { open, rename, rm } from 'node:fs/promises';
import { MediaFetchError } from '../../media/fetch-media.ts';
import type { VideoProvider, VideoSource } from '../../providers/provider.ts';
import type { Context } from '../context.ts';

/** JPEG's first three bytes: what the bucket of previews promises to hold. */
const JPEG = [0xff, 0xd8, 0xff];
/** The video is ready: nobody is to wait for its preview. */
const FETCH_TIMEOUT_MS = 15_000;

/**
 * Puts the provider's own picture of the video where ours would be. Leaves what is there where it gives none, or one that
 * cannot be had or is no JPEG: a preview decides nothing.
 */
export async function takePoster(
  ctx: Context,
  provider: VideoProvider,
  thumbnail: VideoSource | null,
  posterFile: string,
  signal: AbortSignal,
): Promise<void> {
  if (thumbnail?.from !== 'url') return;
  const fetchedFile = `${posterFile}.given`;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]);
  try {
    await ctx.mediaFetcherFor(provider).fetchToFile(thumbnail.url, fetchedFile, provider.mediaHosts, limit);
    if (await isJpeg(fetchedFile)) await rename(fetchedFile, posterFile);
  } catch (error) {
    if (signal.aborted) throw error;
    const cause = error instanceof MediaFetchError ? error.message : 'it did not come in time';
    ctx.log.warn({ provider: provider.name, cause }, 'the provider’s preview cannot be fetched');
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
