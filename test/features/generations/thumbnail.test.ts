/** A provider's own picture of the video goes before ours, and decides nothing. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { MediaFetchError, type MediaFetcher } from '../../../src/media/fetch-media.ts';
import type { VideoProvider } from '../../../src/providers/provider.ts';
import { createTestApp } from '../../support/app.ts';

const THUMBNAIL = 'https://media.example/poster.jpg';
const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);

/** What is stored as the preview of a video whose provider gives one that the fetcher answers so. */
async function previewWhere(fetched: Buffer | Error): Promise<Buffer> {
  const asked: string[] = [];
  const fetcher: MediaFetcher = {
    async fetchToFile(url, path) {
      asked.push(url);
      if (fetched instanceof Error) throw fetched;
      await writeFile(path, fetched);
      return { bytes: fetched.length };
    },
  };
  await using app = await createTestApp({ overrides: { mediaFetcherFor: () => fetcher } });
  const { provider } = app.vendor;
  const giving: VideoProvider = {
    ...provider,
    async status(request, id, signal) {
      const status = await provider.status(request, id, signal);
      return status.state === 'completed' ? { ...status, thumbnail: { from: 'url', url: THUMBNAIL } } : status;
    },
  };
  app.ctx.providers = new Map([['sandbox', giving]]);
  const jobId = await app.generate(await app.user(1));
  assert.deepEqual(await app.drain(), []);
  assert.equal((await app.job(jobId)).status, 'completed');
  assert.deepEqual(asked, [THUMBNAIL]);
  await app.assertSound();
  return readFile(join(app.dataDir, 'media', 'thumbnails', (await app.job(jobId)).thumbnail_url ?? ''));
}

describe('the preview of a finished video', () => {
  it('is the provider’s own, where it gives a JPEG', async () => {
    assert.deepEqual(await previewWhere(JPEG), JPEG);
  });

  it('is ours, where the provider’s is something else or cannot be had: the video is delivered all the same', async () => {
    const ours = Buffer.from('a picture');
    assert.deepEqual(await previewWhere(Buffer.from('<!doctype html>')), ours);
    assert.deepEqual(await previewWhere(new MediaFetchError('gone', { isFinal: true })), ours);
  });
});
