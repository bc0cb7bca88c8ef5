/** From a paid request to a playable video, or to the refund. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Job, jobShape, type Status } from './support/answers.ts';
import { expectStatus } from './support/api.ts';
import { FAILING, type Generation, newGuest, SHORT, sandboxModel } from './support/guest.ts';
import { readJpeg } from './support/jpeg.ts';
import { readMp4 } from './support/mp4.ts';
import { assertRefused } from './support/refusal.ts';
import { assertShape } from './support/shape.ts';
import { useTarget } from './support/target.ts';
import { until } from './support/until.ts';

const target = useTarget();

async function download(url: string | null): Promise<{ type: string | null; bytes: Buffer }> {
  assert.ok(url);
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  return { type: response.headers.get('content-type'), bytes: Buffer.from(await response.arrayBuffer()) };
}

const ORDER: Status[] = ['pending', 'processing', 'completed', 'failed'];

describe('a video', () => {
  test('goes from pending to processing to completed, and never back', async () => {
    const guest = await newGuest(target.url);
    const { job_id } = await guest.start({ prompt: 'a lighthouse in the rain', settings: { ...SHORT, duration: 3 } });
    const observed: Job[] = [];
    const done = await until(
      async () => {
        const job = await guest.job(job_id);
        assertShape(job, jobShape);
        observed.push(job);
        return job;
      },
      ({ status }) => status === 'completed' || status === 'failed',
      'end of the job',
    );
    const states = observed.map(({ status }) => ORDER.indexOf(status));
    assert.deepEqual(
      states,
      states.toSorted((a, b) => a - b),
    );
    assert.ok(observed.some(({ status }) => status === 'processing'));
    const progress = observed.flatMap((seen) => (seen.progress === null ? [] : [seen.progress]));
    assert.deepEqual(
      progress,
      progress.toSorted((a, b) => a - b),
    );
    assert.ok(progress.every((percent) => percent >= 0 && percent <= 100));
    for (const seen of observed.filter(({ status }) => status !== 'completed')) {
      const { video_url, thumbnail_url, completed_at, error_code, error_message } = seen;
      assert.deepEqual([video_url, thumbnail_url, completed_at, error_code, error_message], Array(5).fill(null));
    }

    assert.equal(done.status, 'completed');
    const { job_id: id, prompt, model_name, credits_used, error_code, error_message, queue_position } = done;
    assert.deepEqual(
      { id, prompt, model_name, credits_used, error_code, error_message, queue_position },
      {
        id: job_id,
        prompt: 'a lighthouse in the rain',
        model_name: 'Sandbox',
        credits_used: 1,
        error_code: null,
        error_message: null,
        queue_position: null,
      },
    );
    assert.deepEqual([done.settings, done.image_url], [{ ...SHORT, fps: 24, duration: 3 }, null]);
    assert.equal(done.model_id, (await sandboxModel(target.url)).id);
    assert.ok(done.completed_at && done.completed_at > done.created_at);
    assert.equal(await guest.balance(), 9);

    const alias = expectStatus(await guest.get<Job>(`check-video-job-status?job_id=${job_id.toUpperCase()}`), 200).body;
    assert.deepEqual({ ...alias, video_url: '', thumbnail_url: '' }, { ...done, video_url: '', thumbnail_url: '' });
    const [listed] = (await guest.jobs()).jobs;
    for (const name of ['job_id', 'status', 'model_id', 'settings', 'image_url', 'error_code'] as const) {
      assert.deepEqual(listed?.[name], done[name], name);
    }
  });

  const cases: [string, Generation['settings'], { width: number; height: number; seconds: number; fps: number }][] = [
    ['the default settings: 5 s, 720p, 16:9', undefined, { width: 1280, height: 720, seconds: 5, fps: 24 }],
    [
      '2 s of 360p, 9:16, 30 fps',
      { duration: 2, resolution: '360p', aspect_ratio: '9:16', fps: 30 },
      { width: 360, height: 640, seconds: 2, fps: 30 },
    ],
    [
      '1 s of 1080p, 1:1',
      { duration: 1, resolution: '1080p', aspect_ratio: '1:1' },
      { width: 1080, height: 1080, seconds: 1, fps: 24 },
    ],
  ];
  for (const [what, settings, wanted] of cases) {
    test(`plays and has the requested settings: ${what}`, async () => {
      const guest = await newGuest(target.url);
      const fields = { prompt: 'Ağır ağır bir deniz feneri — “ışık” 🎹', ...(settings ? { settings } : {}) };
      const { job_id } = await guest.start(fields);
      const job = await guest.waitFor(job_id, ['completed', 'failed'], 60_000);
      assert.equal(job.status, 'completed');

      const video = await download(job.video_url);
      assert.equal(video.type, 'video/mp4');
      const mp4 = readMp4(video.bytes);
      assert.equal(mp4.boxes[0], 'ftyp');
      assert.ok(mp4.boxes.includes('moov') && mp4.boxes.includes('mdat'));
      assert.match(mp4.codec, /^avc[13]$/);
      assert.deepEqual([mp4.width, mp4.height], [wanted.width, wanted.height]);
      assert.ok(Math.abs(mp4.seconds - wanted.seconds) <= 0.1, `${mp4.seconds} s`);
      assert.equal(mp4.frames, wanted.seconds * wanted.fps);
      assert.ok(mp4.frameBytes > 1000 && mp4.frameBytes < video.bytes.length);

      const thumbnail = await download(job.thumbnail_url);
      assert.equal(thumbnail.type, 'image/jpeg');
      const { width, height } = readJpeg(thumbnail.bytes);
      assert.ok(width > 0 && height > 0);
      assert.ok(Math.abs(width / height - wanted.width / wanted.height) < 0.02, `${width}×${height}`);

      const month = job.created_at.slice(0, 7);
      const file = `${guest.userId}/${month}/${job_id}`;
      assert.ok(new URL(job.video_url ?? '').pathname.endsWith(`/videos/${file}.mp4`), job.video_url ?? '');
      assert.ok(new URL(job.thumbnail_url ?? '').pathname.endsWith(`/thumbnails/${file}.jpg`), job.thumbnail_url ?? '');
    });
  }
});

describe('a video that the provider declines', () => {
  test('fails with ERR_5003 in the caller’s language, and its credits are refunded once', async () => {
    const guest = await newGuest(target.url);
    const { job_id } = await guest.start({ prompt: FAILING });
    const job = await guest.waitFor(job_id, ['completed', 'failed']);
    assertShape(job, jobShape);
    assert.deepEqual(
      [job.status, job.error_code, job.video_url, job.thumbnail_url, job.credits_used],
      ['failed', 'ERR_5003', null, null, 1],
    );
    assert.ok(job.completed_at);
    assert.equal(await guest.balance(), 10);
    const ofJob = (await guest.ledger()).filter((row) => row.job_id === job_id);
    assert.deepEqual(
      ofJob.map(({ change, reason, balance_after }) => [change, reason, balance_after]),
      [
        [1, 'generation_failed_refund', 10],
        [-1, 'video_generation', 9],
      ],
    );
    assert.equal((await guest.profile()).credits_total, 10);

    const messages = new Set<string | null>();
    for (const language of ['en', 'tr', 'es']) {
      const reply = await guest.get<Job>(`get-video-status?job_id=${job_id}`, {
        headers: { 'Accept-Language': language },
      });
      messages.add(reply.body.error_message);
    }
    assert.equal(messages.size, 3);
    assertRefused(await guest.post('cancel-video-job', { job_id }), 409, 'ERR_4008');
    assert.equal(await guest.balance(), 10);
  });

  test('ten at the same time are refunded exactly what they cost', async () => {
    const guest = await newGuest(target.url);
    const jobs = await Promise.all(Array.from({ length: 10 }, () => guest.start({ prompt: FAILING })));
    await Promise.all(jobs.map(({ job_id }) => guest.waitFor(job_id, ['failed'])));
    assert.equal(await guest.balance(), 10);
    assert.equal((await guest.ledger()).length, 21);
  });
});

describe('the queue', () => {
  test('twenty videos that never finish do not hold up the video of another user', async () => {
    const guests = await Promise.all(Array.from({ length: 2 }, () => newGuest(target.url)));
    const endless = await Promise.all(
      guests.flatMap((guest) =>
        Array.from({ length: 10 }, async () => ({ guest, job_id: (await guest.start()).job_id })),
      ),
    );
    const other = await newGuest(target.url);
    const { job_id } = await other.start({ prompt: 'a short one', settings: SHORT });
    const done = await other.waitFor(job_id, ['completed', 'failed'], 30_000);
    assert.equal(done.status, 'completed');
    await Promise.all(endless.map(({ guest, job_id: id }) => guest.cancel(id)));
  });
});

describe('an invalid job_id', () => {
  test('a job_id that is missing or no UUID is 400, and the answer names the field', async () => {
    const guest = await newGuest(target.url);
    for (const path of ['get-video-status', 'check-video-job-status']) {
      for (const query of ['', '?job_id=', '?job_id=1', '?job_id=%27', '?id=1', `?job_id=${'a'.repeat(36)}`]) {
        const reason = ['', '?job_id=', '?id=1'].includes(query) ? 'missing' : undefined;
        assertRefused(await guest.get(path + query), 400, 'ERR_4006', { field: 'job_id', reason });
      }
    }
    for (const body of [{}, { job_id: null }, { job_id: '' }, { job_id: 1 }, { job_id: ['x'] }, { job_id: 'x' }]) {
      for (const path of ['cancel-video-job', 'delete-video-job']) {
        assertRefused(await guest.post(path, body), 400, 'ERR_4006', { field: 'job_id' });
      }
    }
  });
});
