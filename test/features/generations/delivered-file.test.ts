/** Which file is delivered, and what the probe is told about it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ProbeRequest } from '../../../src/media/probe.ts';
import { createTestApp, fakeProbe } from '../../support/app.ts';

describe('the delivered file', () => {
  it('is the converted video where one was made: its bytes, hash and seconds are stored, and nothing of either stays behind', async () => {
    const converted = Buffer.from('what phones play');
    const probe: typeof fakeProbe = {
      ...fakeProbe,
      async probe(path, request) {
        await writeFile(request.playablePath ?? '', converted);
        return { ...(await fakeProbe.probe(path, request)), durationSeconds: 4.9, isConverted: true };
      },
    };
    await using app = await createTestApp({ overrides: { probe } });
    const jobId = await app.generate(await app.user(1));
    assert.deepEqual(await app.drain(), []);
    const { rows } = await app.owner.query(
      'select video_url, video_bytes::int, video_sha256, video_seconds::float8 from video_jobs where job_id = $1',
      [jobId],
    );
    const [{ video_url: path, ...stored }] = rows;
    assert.deepEqual(stored, {
      video_bytes: converted.length,
      video_sha256: createHash('sha256').update(converted).digest('hex'),
      video_seconds: 4.9,
    });
    assert.deepEqual(await readFile(join(app.dataDir, 'media', 'videos', path)), converted);
    await app.assertSound();
  });

  it('is compared with what was ordered, and with the size that the vendor reports', async () => {
    const requests: ProbeRequest[] = [];
    const probe: typeof fakeProbe = {
      ...fakeProbe,
      probe(path, request) {
        requests.push(request);
        return fakeProbe.probe(path, request);
      },
    };
    const fetchToFile = async (_url: string, path: string) => {
      await writeFile(path, 'a video');
      return { bytes: 7 };
    };
    await using app = await createTestApp({
      vendor: {
        status: [
          'complete',
          { state: 'completed', video: { from: 'url', url: 'https://vendor.test/v', bytes: 7 }, thumbnail: null },
        ],
      },
      overrides: { probe, mediaFetcherFor: () => ({ fetchToFile }) },
    });
    const userId = await app.user(2);
    for (const duration of [5, 8]) {
      await app.generate(userId, { settings: { duration } });
      assert.deepEqual(await app.drain(), []);
    }
    assert.deepEqual(
      requests.map(({ expected }) => expected),
      [
        { seconds: 5, bytes: undefined },
        { seconds: 8, bytes: 7 },
      ],
    );
  });
});
