/** A server and a worker that share a database and a bucket, but no disk. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { call } from '../acceptance/support/api.ts';
import { newGuest, SHORT } from '../acceptance/support/guest.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { s3Env, startS3 } from '../support/s3.ts';
import { startTestServer, startTestWorker } from '../support/server.ts';

test('a video from a worker on another machine is served from the bucket, and is deleted from it with its job', async () => {
  await using database = await createTestDatabase();
  await using s3 = await startS3(['media']);
  const env = { DATABASE_URL: database.url, ...s3.env };
  await using server = await startTestServer({ env: { ...env, WORKER: 'off' } });
  await using _worker = await startTestWorker({ env });

  const guest = await newGuest(server.url);
  const { job_id } = await guest.start({ prompt: 'a paper boat', settings: SHORT });
  const job = await guest.waitFor(job_id, ['completed', 'failed'], 30_000);
  assert.equal(job.status, 'completed', String(job.error_message));
  assert.ok(!existsSync(join(server.dataDir, 'media')), 'nothing is stored on the disk');

  assert.ok(job.video_url && job.thumbnail_url);
  const whole = await fetch(job.video_url);
  const bytes = Buffer.from(await whole.arrayBuffer());
  assert.equal(whole.status, 200);
  assert.equal(bytes.toString('latin1', 4, 8), 'ftyp');
  const range = await fetch(job.video_url, { headers: { Range: 'bytes=4-7' } });
  assert.deepEqual([range.status, await range.text()], [206, 'ftyp']);
  const again = await fetch(job.video_url, { headers: { 'If-None-Match': whole.headers.get('ETag') ?? '' } });
  assert.equal(again.status, 304);
  const thumbnail = await fetch(job.thumbnail_url);
  assert.deepEqual([thumbnail.status, thumbnail.headers.get('Content-Type')], [200, 'image/jpeg']);

  await guest.post('delete-video-job', { job_id });
  assert.equal((await call('', 'GET', job.video_url)).status, 404);
});

test('a bucket that is unavailable when the video is ready delays it; neither the video nor its credit is lost', async () => {
  await using database = await createTestDatabase();
  const { promise: hasFailedOften, resolve: reportFailures } = Promise.withResolvers<void>();
  let calls = 0;
  // More calls than the check at the start and one delivery make.
  const failingBucket = createServer((socket) => {
    socket.destroy();
    calls += 1;
    if (calls === 9) reportFailures();
  }).listen(0, '127.0.0.1');
  await once(failingBucket, 'listening');
  const { port } = failingBucket.address() as AddressInfo;
  const env = { ...s3Env(`http://127.0.0.1:${port}`, 'media'), DATABASE_URL: database.url, LOG_LEVEL: 'silent' };
  await using server = await startTestServer({ env });
  const guest = await newGuest(server.url);
  const { job_id } = await guest.start({ prompt: 'a paper boat', settings: SHORT });
  await hasFailedOften;
  failingBucket.close();
  await once(failingBucket, 'close');
  assert.equal((await guest.job(job_id)).status, 'processing');

  await using _bucket = await startS3(['media'], port);
  const job = await guest.waitFor(job_id, ['completed', 'failed'], 60_000);
  assert.equal(job.status, 'completed', String(job.error_message));
  assert.equal(await guest.balance(), 9);
  assert.ok(job.video_url);
  assert.equal((await fetch(job.video_url)).status, 200);
});
