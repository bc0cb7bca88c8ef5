/** A generation is completed only when the store shows its video. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/kernel/clock.ts';
import { createS3Store } from '../../../src/media/s3.ts';
import { createTestApp } from '../../support/app.ts';
import { startS3 } from '../../support/s3.ts';

test('a video that the store takes and does not keep is not completed, and is delivered once the store keeps it', async () => {
  await using s3 = await startS3(['media']);
  let keeps = false;
  const proxy: typeof fetch = async (input, init) =>
    init?.method === 'PUT' && !keeps ? new Response('<html>Welcome</html>') : fetch(input, init);
  const media = createS3Store({
    ...{
      endpoint: s3.endpoint,
      region: 'us-east-1',
      bucket: 'media',
      accessKeyId: 'S3RVER',
      secretAccessKey: 'S3RVER',
    },
    ...{ fetch: proxy, clock: systemClock, tools: { sleep: async () => {}, random: () => 0 } },
  });
  await using app = await createTestApp({ overrides: { media } });
  const userId = await app.user(1);
  const jobId = await app.generate(userId);
  assert.deepEqual(await app.drain(), []);
  assert.deepEqual([(await app.job(jobId)).status, await app.balance(userId)], ['processing', 0]);
  const dueMs = (await app.tasksOf(jobId)).map((task) => task.dueMs);
  assert.ok(dueMs.length === 1 && (dueMs[0] ?? 0) <= 60_000, `tried again within a minute: ${dueMs}`);

  keeps = true;
  await app.makeAllDue();
  assert.deepEqual(await app.drain(), []);
  const { status, video_url } = await app.job(jobId);
  assert.equal(status, 'completed');
  assert.ok(((await media.info(`videos/${video_url}`))?.bytes ?? 0) > 0);
});
