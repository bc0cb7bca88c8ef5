/** A provider's own thumbnail is preferred to ours, but never required. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { MediaFetchError, type MediaFetcher } from '../../../src/media/fetch-media.ts';
import type { VideoProvider } from '../../../src/providers/provider.ts';
import { createTestApp } from '../../support/app.ts';

const THUMBNAIL = 'https://media.example/thumbnail.jpg';
const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);

/** The stored thumbnail of a video whose provider has one; its download gives `fetched`. */
async function storedThumbnail(fetched: Buffer | Error): Promise<Buffer> {
  const urls: string[] = [];
  const fetcher: MediaFetcher = {
    async fetchToFile(url, path) {
      urls.push(url);
      if (fetched instanceof Error) throw fetched;
      await writeFile(path, fetched);
      return { bytes: fetched.length };
    },
  };
  await using app = await createTestApp({ overrides: { mediaFetcherFor: () => fetcher } });
  const { provider } = app.vendor;
  const withThumbnail: VideoProvider = {
    ...provider,
    async status(request, id, signal) {
      const status = await provider.status(request, id, signal);
      return status.state === 'completed' ? { ...status, thumbnail: { from: 'url', url: THUMBNAIL } } : status;
    },
  };
  app.ctx.providers = new Map([['sandbox', withThumbnail]]);
  const jobId = await app.generate(await app.user(1));
  assert.deepEqual(await app.drain(), []);
  assert.equal((await app.job(jobId)).status, 'completed');
  assert.deepEqual(urls, [THUMBNAIL]);
  await app.assertSound();
  return readFile(join(app.dataDir, 'media', 'thumbnails', (await app.job(jobId)).thumbnail_url ?? ''));
}

describe('the thumbnail of a completed video', () => {
  it('is the provider’s own where that is a JPEG', async () => {
    assert.deepEqual(await storedThumbnail(JPEG), JPEG);
  });

  it('is ours where the provider’s is not a JPEG or cannot be downloaded; the video is delivered nevertheless', async () => {
    const ours = Buffer.from('a picture');
    assert.deepEqual(await storedThumbnail(Buffer.from('<!doctype html>')), ours);
    assert.deepEqual(await storedThumbnail(new MediaFetchError('gone', { isFinal: true })), ours);
  });
});
