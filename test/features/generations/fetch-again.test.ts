/** A finished file that its host does not have yet, or has only in part: it is asked for again, and never taken for the video. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createMediaFetcher } from '../../../src/media/fetch-media.ts';
import { UnusableVideo } from '../../../src/media/unusable-video.ts';
import type { ProviderStatus } from '../../../src/providers/provider.ts';
import { createTestApp, fakeProbe, type TestApp } from '../../support/app.ts';
import type { StatusStep } from '../../support/providers.ts';

const GOOD = 'the whole of a good video';
/** Stands for everything that the probe does not accept. */
const probe: typeof fakeProbe = {
  ...fakeProbe,
  async probe(path, options) {
    const content = await readFile(path, 'utf8');
    if (content.startsWith('<')) throw new UnusableVideo('not_a_video');
    if (content === 'an unknown codec') throw new UnusableVideo('unknown_codec');
    if (content !== GOOD) throw new UnusableVideo('truncated');
    return fakeProbe.probe(path, options);
  },
};

type Answer = (reply: Parameters<RequestListener>[1]) => unknown;
const status =
  (code: number, body = ''): Answer =>
  (reply) =>
    reply.writeHead(code).end(body);
const good = status(200, GOOD);

describe('a finished file that is not there yet', () => {
  let app: TestApp;
  let host: string;
  let answers: Answer[] = [];
  let urls: string[] = [];
  const server = createServer((request, reply) => {
    urls.push(request.url ?? '');
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(reply);
  });
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const fetcher = createMediaFetcher({
      ...{ extraHosts: [host], extraMayBePrivate: true, bytesMax: 10_000, stallMs: 5_000 },
    });
    app = await createTestApp({ overrides: { probe, mediaFetcherFor: () => fetcher } });
  });
  after(async () => {
    await app?.[Symbol.asyncDispose]();
    server.close();
  });

  let tries = 0;
  const completed = (bytes?: number): ProviderStatus => {
    tries += 1;
    const url = `http://${host}/${tries}.mp4`;
    return {
      state: 'completed',
      video: { from: 'url', url, ...(bytes === undefined ? {} : { bytes }) },
      thumbnail: null,
    };
  };

  /** A paid job whose provider has ended; its file has been asked for once. */
  async function begin(script: Answer[], steps: StatusStep[] = [async () => completed()]) {
    [answers, urls, tries] = [script, [], 0];
    app.vendor.script({ status: steps });
    const userId = await app.user(1);
    const jobId = await app.generate(userId);
    await app.drain();
    return { userId, jobId };
  }
  /** As long as the job waits for its file: turns the clock to the next try. Returns the waits in seconds. */
  async function waitsOf(jobId: string, triesMax = 40): Promise<number[]> {
    const waits: number[] = [];
    while ((await app.job(jobId)).status === 'processing' && waits.length < triesMax) {
      const [task] = await app.tasksOf(jobId);
      assert.equal(task?.task, 'poll_generation');
      waits.push(Math.round(task.dueMs / 100) / 10);
      const sql = 'update provider_attempts set ended_at = ended_at - make_interval(secs => $2) where job_id = $1';
      await app.owner.query(sql, [jobId, task.dueMs / 1000]);
      const deadline = 'update video_jobs set deadline_at = deadline_at - make_interval(secs => $2) where job_id = $1';
      await app.owner.query(deadline, [jobId, task.dueMs / 1000]);
      await app.makeAllDue();
      await app.drain();
    }
    return waits;
  }
  async function assertDelivered({ userId, jobId }: { userId: string; jobId: string }): Promise<void> {
    const { status: ended, error_code, video_url } = await app.job(jobId);
    assert.deepEqual([ended, error_code], ['completed', null]);
    assert.equal(await readFile(join(app.dataDir, 'media', 'videos', video_url ?? ''), 'utf8'), GOOD);
    assert.equal(await app.balance(userId), 0);
    await app.assertSound();
  }
  async function assertRefunded({ userId, jobId }: { userId: string; jobId: string }): Promise<void> {
    assert.deepEqual([(await app.job(jobId)).error_code, await app.balance(userId)], ['ERR_5005', 1]);
    await app.assertSound();
  }

  it('is asked for again, from a new URL, whatever its host answered at first', async () => {
    const first: Answer[] = [
      status(404, '<Error><Code>NoSuchKey</Code></Error>'),
      status(410),
      status(403),
      status(400, '<Error><Code>ExpiredToken</Code></Error>'),
      status(200, '<!doctype html><title>Just a moment</title>'),
      status(200),
      status(202),
      status(200, GOOD.slice(0, 9)),
      status(206, GOOD.slice(0, 9)),
      (reply) => reply.writeHead(302, { Location: '/again' }).end(),
    ];
    for (const answer of first) {
      const job = await begin([answer, good]);
      await waitsOf(job.jobId, 5);
      await assertDelivered(job);
      assert.ok(urls.includes('/1.mp4') && urls.at(-1) !== '/1.mp4', `${urls}`);
    }
  });

  it('is asked for with growing waits for three minutes, and then refunded', async () => {
    const job = await begin([status(404)]);
    const waits = await waitsOf(job.jobId);
    await assertRefunded(job);
    assert.ok((waits[0] ?? 0) <= 2.1, `soon at first: ${waits}`);
    assert.ok(
      waits.slice(0, -1).every((wait, at) => at === 0 || wait >= (waits[at - 1] ?? 0) - 0.2),
      `${waits}`,
    );
    const total = waits.reduce((sum, wait) => sum + wait, 0);
    assert.ok(total > 170 && total < 190, `${total} s`);
    assert.equal(urls.length, waits.length + 1);
    assert.ok(urls.length > 8 && urls.length < 20, `${urls.length} requests`);
  });

  it('is refunded for its own reason just before a deadline that is sooner', async () => {
    const job = await begin([status(404)]);
    await app.owner.query(`update video_jobs set deadline_at = now() + interval '30 seconds' where job_id = $1`, [
      job.jobId,
    ]);
    const total = (await waitsOf(job.jobId)).reduce((sum, wait) => sum + wait, 0);
    await assertRefunded(job);
    assert.ok(total > 15 && total < 30, `${total} s`);
  });

  it('is never a part of the file whose size the provider knows, and the right size is believed', async () => {
    const part = await begin([status(200, GOOD.slice(0, 9)), good], [async () => completed(GOOD.length)]);
    await waitsOf(part.jobId, 5);
    await assertDelivered(part);
    const never = await begin([status(200, GOOD)], [async () => completed(GOOD.length + 1)]);
    await waitsOf(never.jobId);
    await assertRefunded(never);
    assert.ok(urls.length > 8);
    const broken = await begin([status(200, 'broken')], [async () => completed('broken'.length)]);
    await assertRefunded(broken);
    assert.deepEqual(urls, ['/1.mp4'], 'it is the provider’s whole file, and does not play');
  });

  it('is not asked for again where the file is there and cannot be used', async () => {
    await assertRefunded(await begin([status(200, 'an unknown codec')]));
    assert.deepEqual(urls, ['/1.mp4']);
    await assertRefunded(await begin([(reply) => reply.writeHead(302, { Location: 'https://10.0.0.1/' }).end()]));
    assert.deepEqual(urls, ['/1.mp4']);
  });

  it('may be the result itself: it is read again, and refunded in the end', async () => {
    const notReady = { state: 'not_ready', cause: 'answered 404' } as const;
    const late = await begin([good], [notReady, notReady, async () => completed()]);
    assert.deepEqual(await app.ctx.db.call('cancel_generation', { user_id: late.userId, job_id: late.jobId }), {
      outcome: 'final',
      status: 'processing',
    });
    assert.equal((await waitsOf(late.jobId, 5)).length, 2);
    await assertDelivered(late);
    for (const gone of [notReady, { state: 'absent', cause: 'answered 404' } as const]) {
      const never = await begin([good], [notReady, gone]);
      await waitsOf(never.jobId);
      await assertRefunded(never);
      assert.deepEqual(urls, []);
    }
  });
});
