import { open, rename, rm } from 'node:fs/promises';
import { MediaFetchError } from '../../media/fetch-media.ts';
import type { VideoProvider, VideoSource } from '../../providers/provider.ts';
import type { Context } from '../context.ts';

/** JPEG's first three bytes: what the bucket of previews promises to hold. */
const JPEG = [0xff, 0xd8, 0xff];

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
  try {
    await ctx.mediaFetcherFor(provider).fetchToFile(thumbnail.url, fetchedFile, provider.mediaHosts, signal);
    if (await isJpeg(fetchedFile)) await rename(fetchedFile, posterFile);
  } catch (error) {
    if (!(error instanceof MediaFetchError)) throw error;
    ctx.log.warn({ provider: provider.name, cause: error.message }, 'the provider’s preview cannot be fetched');
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
