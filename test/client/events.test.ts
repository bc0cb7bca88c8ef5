/** Events: each once and in order, over every interruption; and where they cannot come, the same by asking. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { FeedState, JobEvent, RendioClient } from '../../client/src/index.ts';
import { seeded } from '../stories/random.ts';
import { createCuttingProxy } from '../support/cutting-proxy.ts';
import { startTestServer } from '../support/server.ts';
import { type SharedServer, useSharedServer } from '../support/server-on-database.ts';
import { DECLINED, ENDLESS, newClient, SHORT, until } from './support.ts';

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
const STREAM = '/job-events';

let server: SharedServer;

before(async () => {
  server = await useSharedServer();
});
after(() => server?.stop());

/** Everything that `subscribe` tells. */
function listen(rendio: RendioClient) {
  const events: JobEvent[] = [];
  const states: FeedState[] = [];
  const stop = rendio.subscribe({ onEvent: (event) => events.push(event), onState: (state) => states.push(state) });
  return { events, states, stop, [Symbol.dispose]: stop };
}

const isEndOf = (jobId: string) => (event: JobEvent) =>
  (event.type === 'completed' || event.type === 'failed') && event.job_id === jobId;
/** The initial grant may be a moment older than the listening: by how much is not known to the millisecond. */
const paymentsIn = (events: JobEvent[]) =>
  events.flatMap((event) => (event.type === 'credits' && event.reason !== 'initial_grant' ? [event] : []));
const typesOf = (events: JobEvent[]) => events.map(({ type }) => type);

/** A way of its own for each test, and a guest who uses it. */
async function guestByProxy() {
  const way = await createCuttingProxy(server.url);
  const guest = await newClient(way.url);
  await guest.rendio.onboard();
  return { ...guest, way, [Symbol.asyncDispose]: () => way[Symbol.asyncDispose]() };
}

/** The account's whole stream, as the server tells it to somebody who was never cut off. */
async function wholeStream(rendio: RendioClient, count: number): Promise<JobEvent[]> {
  const leaving = new AbortController();
  const events: JobEvent[] = [];
  for await (const event of rendio.events({ lastEventId: '0', signal: leaving.signal })) {
    events.push(event);
    if (events.length === count) leaving.abort();
  }
  return events;
}

describe('events', { concurrency: 4 }, () => {
  test(`come through cuts at any byte, each once and in order (seed ${SEED})`, async () => {
    await using guest = await guestByProxy();
    const { rendio, storage, way, modelId } = guest;
    const random = seeded(SEED);
    const { rendio: direct } = await newClient(server.url, storage);
    // The head of the answer takes some 780 of them: each connection carries an event or more.
    way.cutAnswers(STREAM, () => 850 + Math.floor(random() * 900));
    const leaving = new AbortController();
    const told: JobEvent[] = [];
    const reading = (async () => {
      for await (const event of rendio.events({ lastEventId: '0', signal: leaving.signal })) told.push(event);
    })();
    for (let count = 0; count < 4; count += 1) {
      await direct.submit({ model_id: modelId, prompt: `${DECLINED} ${count}` });
    }
    await until('all have ended and are refunded', () => told.filter(({ type }) => type === 'failed').length === 4);
    leaving.abort();
    await reading;
    assert.deepEqual(told, await wholeStream(direct, told.length));
    assert.equal(paymentsIn(told).length, 8);
    assert.ok(way.cuts >= 3, `${way.cuts} cuts`);
  });

  test('that happen while nobody listens, before a first one came, are told at the return', async () => {
    await using guest = await guestByProxy();
    const { rendio, storage, way, modelId } = guest;
    const { rendio: direct } = await newClient(server.url, storage);
    using heard = listen(rendio);
    await until('the stream is open', () => heard.states.includes('live'));
    assert.ok(heard.events.every(({ type }) => type === 'credits'));
    way.close();
    const { job_id } = await direct.submit({ model_id: modelId, prompt: DECLINED });
    await until('it has failed', async () => (await direct.job(job_id)).status === 'failed');
    way.open();
    await until('it is told', () => heard.events.some(isEndOf(job_id)));
  });

  test('begin with the videos that are under way, also when the beginning is cut, and for those who join later', async () => {
    await using guest = await guestByProxy();
    const { rendio, way, modelId } = guest;
    const ids: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      ids.push((await rendio.submit({ model_id: modelId, prompt: `${ENDLESS} ${count}` })).job_id);
    }
    await until('all run', async () => (await rendio.jobs({ status: 'processing' })).jobs.length === 3);
    // Enough for the head and the first of the three.
    let isFirst = true;
    way.cutAnswers(STREAM, () => {
      const bytes = isFirst ? 950 : 1_000_000;
      isFirst = false;
      return bytes;
    });
    using heard = listen(rendio);
    const jobsOf = (events: JobEvent[]) => events.flatMap((event) => ('job_id' in event ? [event.job_id] : []));
    await until('all are told', () => heard.events.length >= 3);
    assert.deepEqual(jobsOf(heard.events), ids);
    using later = listen(rendio);
    assert.deepEqual(jobsOf(later.events), ids);
    for (const id of ids) await rendio.cancel(id);
    await until('all have ended', () => ids.every((id) => heard.events.some(isEndOf(id))));
    assert.equal(heard.events.filter(({ type }) => type === 'processing').length, 3);
    assert.equal(way.requests(STREAM).length, 2);
  });

  test('are asked for where a proxy holds the stream back, and listened to again when it does not', async () => {
    await using guest = await guestByProxy();
    const { rendio, way, modelId } = guest;
    way.holdAnswers(STREAM, true);
    using heard = listen(rendio);
    await until('the client asks instead', () => heard.states.includes('polling'));
    const first = await rendio.submit({ model_id: modelId, prompt: DECLINED });
    await until('its end is told', () => heard.events.some(isEndOf(first.job_id)));
    await until('its refund is told', () => paymentsIn(heard.events).length === 2);
    way.holdAnswers(STREAM, false);
    way.close();
    way.open();
    await until('the stream is open', () => heard.states.at(-1) === 'live');
    const second = await rendio.submit({ model_id: modelId, prompt: DECLINED });
    await until('the second end is told', () => heard.events.some(isEndOf(second.job_id)));
    await until('the second refund is told', () => paymentsIn(heard.events).length === 4);
    const balances = paymentsIn(heard.events).map(({ credits_remaining }) => credits_remaining);
    assert.deepEqual(balances, [9, 10, 9, 10]);
    for (const { job_id } of [first, second]) assert.equal(heard.events.filter(isEndOf(job_id)).length, 1);
    const failed = heard.events.filter(({ type }) => type === 'failed');
    assert.deepEqual(Object.keys(failed[0] ?? {}).sort(), Object.keys(failed[1] ?? {}).sort());
  });

  test('that were learnt by asking are not repeated by the stream that goes on behind them', async () => {
    await using guest = await guestByProxy();
    const { rendio, way, modelId, calls } = guest;
    using heard = listen(rendio);
    await until('the stream is open', () => heard.states.includes('live'));
    way.holdAnswers(STREAM, true);
    way.close();
    way.open();
    const { job_id } = await rendio.submit({ model_id: modelId, prompt: DECLINED });
    await until('its refund is told', () => paymentsIn(heard.events).length === 2);
    assert.equal(heard.states.at(-1), 'polling');
    const opened = way.requests(STREAM).length;
    way.holdAnswers(STREAM, false);
    way.close();
    way.open();
    await until('the stream is open', () => heard.states.at(-1) === 'live');
    assert.ok(way.requests(STREAM).length > opened);
    assert.ok(calls.some(({ path, headers }) => path.endsWith(STREAM) && headers.has('Last-Event-ID')));
    const next = await rendio.submit({ model_id: modelId, prompt: DECLINED });
    await until('the next is told', () => paymentsIn(heard.events).length === 4);
    assert.equal(heard.events.filter(isEndOf(job_id)).length, 1);
    assert.deepEqual(typesOf(heard.events.filter((event) => 'job_id' in event && event.job_id === next.job_id)), [
      'queued',
      'processing',
      'failed',
    ]);
  });

  test('end with the signal, and leave no connection behind', async () => {
    await using guest = await guestByProxy();
    const { rendio, way, modelId } = guest;
    const leaving = new AbortController();
    const seen: JobEvent[] = [];
    const reading = (async () => {
      for await (const event of rendio.events({ signal: leaving.signal })) seen.push(event);
    })();
    await until('the stream is open', () => way.requests(STREAM).length === 1);
    await rendio.submit({ model_id: modelId, prompt: DECLINED });
    await until('something has come', () => seen.length > 0);
    leaving.abort();
    await reading;
    const opened = way.requests(STREAM).length;
    way.close();
    way.open();
    await until('the way is open again', async () => (await rendio.credits().catch(() => 0)) > 0);
    assert.equal(way.requests(STREAM).length, opened);
  });

  test('are another account’s as soon as the session is', async () => {
    const { rendio, modelId } = await newClient(server.url);
    using heard = listen(rendio);
    await rendio.submit({ model_id: modelId, prompt: DECLINED });
    await until('the refund is told', () => paymentsIn(heard.events).length === 2);
    await rendio.forget();
    heard.events.length = 0;
    await rendio.onboard();
    const { job_id } = await rendio.submit({ model_id: modelId, prompt: DECLINED });
    await until('its end is told', () => heard.events.some(isEndOf(job_id)));
    assert.ok(heard.events.every((event) => !('job_id' in event) || event.job_id === job_id));
  });
});

describe('generate', { concurrency: 3 }, () => {
  test('resolves with a video that plays, and tells how far it is', async () => {
    const { rendio, modelId } = await newClient(server.url);
    const seen: (number | null)[] = [];
    const request = { model_id: modelId, prompt: 'a paper boat', settings: SHORT };
    const job = await rendio.generate(request, { onProgress: ({ progress }) => seen.push(progress) });
    assert.equal(job.status, 'completed');
    const video = await fetch(job.video_url ?? '');
    assert.deepEqual([video.status, video.headers.get('Content-Type')], [200, 'video/mp4']);
    assert.ok(seen.length >= 2);
    const told = seen.map((progress) => progress ?? 0);
    assert.deepEqual(
      told,
      told.toSorted((a, b) => a - b),
    );
  });

  test('resolves where events never come', async () => {
    await using guest = await guestByProxy();
    guest.way.holdAnswers(STREAM, true);
    const request = { model_id: guest.modelId, prompt: 'a quiet boat', settings: SHORT };
    assert.equal((await guest.rendio.generate(request)).status, 'completed');
  });

  test('is left by its signal at any time, and the job goes on', async () => {
    const { rendio, modelId } = await newClient(server.url);
    const leaving = new AbortController();
    const request = { model_id: modelId, prompt: ENDLESS };
    const waiting = rendio.generate(request, {
      signal: leaving.signal,
      onProgress: ({ status }) => status === 'processing' && leaving.abort(new Error('enough')),
    });
    await assert.rejects(waiting, { message: 'enough' });
    const { jobs } = await rendio.jobs();
    assert.deepEqual([jobs.length, jobs[0]?.status], [1, 'processing']);
    await rendio.cancel(jobs[0]?.job_id ?? '');
  });

  test('throws what its listener throws', async () => {
    const { rendio, modelId } = await newClient(server.url);
    const onProgress = () => {
      throw new Error('of the listener');
    };
    await assert.rejects(rendio.generate({ model_id: modelId, prompt: ENDLESS }, { onProgress }), {
      message: 'of the listener',
    });
    await rendio.cancel((await rendio.jobs()).jobs[0]?.job_id ?? '');
  });
});

test('generate resolves over a server that is killed and started again', async () => {
  const first = await startTestServer();
  const { rendio, modelId } = await newClient(first.url);
  const request = { model_id: modelId, prompt: 'a long tunnel', settings: { duration: 3, resolution: '360p' } };
  const begun = Promise.withResolvers<void>();
  const done = rendio.generate(request, { onProgress: () => begun.resolve() });
  await begun.promise;
  await first.kill('SIGKILL');
  await using again = await startTestServer({ env: { DATA_DIR: first.dataDir, PORT: new URL(first.url).port } });
  assert.equal((await done).status, 'completed');
  assert.equal(await rendio.credits(), 9);
  await again.stop();
  await first.stop();
});
