/** A server and a worker that share a database and a bucket, and no disk. */
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

test('a video that a worker on another machine made is served from the bucket, and is gone from it when deleted', async () => {
  await using database = await createTestDatabase();
  await using s3 = await startS3(['media']);
  const env = { DATABASE_URL: database.url, ...s3.env };
  await using server = await startTestServer({ env: { ...env, WORKER: 'off' } });
  await using _worker = await startTestWorker({ env });

  const guest = await newGuest(server.url);
  const { job_id } = await guest.start({ prompt: 'a paper boat', settings: SHORT });
  const job = await guest.waitFor(job_id, ['completed', 'failed'], 30_000);
  assert.equal(job.status, 'completed', String(job.error_message));
  assert.ok(!existsSync(join(server.dataDir, 'media')), 'nothing is kept on the disk');

  assert.ok(job.video_url && job.thumbnail_url);
  const whole = await fetch(job.video_url);
  const bytes = Buffer.from(await whole.arrayBuffer());
  assert.equal(whole.status, 200);
  assert.equal(bytes.toString('latin1', 4, 8), 'ftyp');
  const range = await fetch(job.video_url, { headers: { Range: 'bytes=4-7' } });
  assert.deepEqual([range.status, await range.text()], [206, 'ftyp']);
  const again = await fetch(job.video_url, { headers: { 'If-None-Match': whole.headers.get('ETag') ?? '' } });
  assert.equal(again.status, 304);
  const poster = await fetch(job.thumbnail_url);
  assert.deepEqual([poster.status, poster.headers.get('Content-Type')], [200, 'image/jpeg']);

  await guest.post('delete-video-job', { job_id });
  assert.equal((await call('', 'GET', job.video_url)).status, 404);
});

test('a bucket that is away when the video is ready delays it, and neither the video nor its credit is lost', async () => {
  await using database = await createTestDatabase();
  const { promise: isMissed, resolve: miss } = Promise.withResolvers<void>();
  let calls = 0;
  // More than one delivery's tries.
  const ruin = createServer((socket) => {
    socket.destroy();
    calls += 1;
    if (calls === 5) miss();
  }).listen(0, '127.0.0.1');
  await once(ruin, 'listening');
  const { port } = ruin.address() as AddressInfo;
  const env = { ...s3Env(`http://127.0.0.1:${port}`, 'media'), DATABASE_URL: database.url, LOG_LEVEL: 'silent' };
  await using server = await startTestServer({ env });
  const guest = await newGuest(server.url);
  const { job_id } = await guest.start({ prompt: 'a paper boat', settings: SHORT });
  await isMissed;
  ruin.close();
  await once(ruin, 'close');
  assert.equal((await guest.job(job_id)).status, 'processing');

  await using _back = await startS3(['media'], port);
  const job = await guest.waitFor(job_id, ['completed', 'failed'], 60_000);
  assert.equal(job.status, 'completed', String(job.error_message));
  assert.equal(await guest.balance(), 9);
  assert.ok(job.video_url);
  assert.equal((await fetch(job.video_url)).status, 200);
});
