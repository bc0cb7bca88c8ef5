/** Events: each once and in order, through every interruption; where no stream gets through, the same by polling. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { FeedState, JobEvent, RendioClient } from '../../client/src/index.ts';
import { seeded } from '../stories/random.ts';
import { createCuttingProxy } from '../support/cutting-proxy.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { startServerOnDatabase } from '../support/server-on-database.ts';
import { DECLINED, ENDLESS, newClient, SHORT, until } from './support.ts';

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
const STREAM = '/job-events';

let server: TestServer;

before(async () => {
  server = await startServerOnDatabase();
});
after(() => server?.stop());

/** Collects all events and states that `subscribe` delivers. */
function listen(rendio: RendioClient) {
  const events: JobEvent[] = [];
  const states: FeedState[] = [];
  const stop = rendio.subscribe({ onEvent: (event) => events.push(event), onState: (state) => states.push(state) });
  return { events, states, stop, [Symbol.dispose]: stop };
}

const isEndOf = (jobId: string) => (event: JobEvent) =>
  (event.type === 'completed' || event.type === 'failed') && event.job_id === jobId;
/** Without the initial grant: it may be some milliseconds older than the subscription, and then its event is missing. */
const paymentsIn = (events: JobEvent[]) =>
  events.flatMap((event) => (event.type === 'credits' && event.reason !== 'initial_grant' ? [event] : []));
const typesOf = (events: JobEvent[]) => events.map(({ type }) => type);

/** A proxy for this test alone, and a guest who connects through it. */
async function guestByProxy() {
  const proxy = await createCuttingProxy(server.url);
  const guest = await newClient(proxy.url);
  await guest.rendio.onboard();
  return { ...guest, proxy, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}

/** The account's whole stream, as a client without interruptions receives it. */
async function wholeStream(rendio: RendioClient, count: number): Promise<JobEvent[]> {
  const controller = new AbortController();
  const events: JobEvent[] = [];
  for await (const event of rendio.events({ lastEventId: '0', signal: controller.signal })) {
    events.push(event);
    if (events.length === count) controller.abort();
  }
  return events;
}

describe('events', { concurrency: 4 }, () => {
  test(`arrive once and in order through cuts at any byte (seed ${SEED})`, async () => {
    await using guest = await guestByProxy();
    const { rendio, storage, proxy, modelId } = guest;
    const random = seeded(SEED);
    const { rendio: direct } = await newClient(server.url, storage);
    // The answer's head takes about 780 bytes: each connection carries at least one event.
    proxy.cutAnswers(STREAM, () => 850 + Math.floor(random() * 900));
    const controller = new AbortController();
    const received: JobEvent[] = [];
    const reading = (async () => {
      for await (const event of rendio.events({ lastEventId: '0', signal: controller.signal })) received.push(event);
    })();
    for (let count = 0; count < 4; count += 1) {
      await direct.submit({ model_id: modelId, prompt: `${DECLINED} ${count}` });
    }
    await until('all have ended and are refunded', () => received.filter(({ type }) => type === 'failed').length === 4);
    controller.abort();
    await reading;
    assert.deepEqual(received, await wholeStream(direct, received.length));
    assert.equal(paymentsIn(received).length, 8);
    assert.ok(proxy.cuts >= 3, `${proxy.cuts} cuts`);
  });

  test('that happen while the client is disconnected, before it received a first one, arrive when it reconnects', async () => {
    await using guest = await guestByProxy();
    const { rendio, storage, proxy, modelId } = guest;
    const { rendio: direct } = await newClient(server.url, storage);
    using feed = listen(rendio);
    await until('the stream is open', () => feed.states.includes('live'));
    assert.ok(feed.events.every(({ type }) => type === 'credits'));
    proxy.close();
    const { job_id } = await direct.submit({ model_id: modelId, prompt: DECLINED });
    await until('it has failed', async () => (await direct.job(job_id)).status === 'failed');
    proxy.open();
    await until('its end arrives', () => feed.events.some(isEndOf(job_id)));
  });

  test('begin with the running jobs, also when the beginning is cut, and for later subscribers', async () => {
    await using guest = await guestByProxy();
    const { rendio, proxy, modelId } = guest;
    const ids: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      ids.push((await rendio.submit({ model_id: modelId, prompt: `${ENDLESS} ${count}` })).job_id);
    }
    await until('all run', async () => (await rendio.jobs({ status: 'processing' })).jobs.length === 3);
    // 950 bytes are enough for the answer's head and the first of the three.
    let isFirst = true;
    proxy.cutAnswers(STREAM, () => {
      const bytes = isFirst ? 950 : 1_000_000;
      isFirst = false;
      return bytes;
    });
    using feed = listen(rendio);
    const jobsOf = (events: JobEvent[]) => events.flatMap((event) => ('job_id' in event ? [event.job_id] : []));
    await until('all have arrived', () => feed.events.length >= 3);
    assert.deepEqual(jobsOf(feed.events), ids);
    using later = listen(rendio);
    assert.deepEqual(jobsOf(later.events), ids);
    for (const id of ids) await rendio.cancel(id);
    await until('all have ended', () => ids.every((id) => feed.events.some(isEndOf(id))));
    assert.equal(feed.events.filter(({ type }) => type === 'processing').length, 3);
    assert.equal(proxy.requests(STREAM).length, 2);
  });

  test('are polled while a proxy holds the stream back, and streamed again when it stops', async () => {
    await using guest = await guestByProxy();
    const { rendio, proxy, modelId } = guest;
    proxy.holdAnswers(STREAM, true);
    using feed = listen(rendio);
    await until('the client polls instead', () => feed.states.includes('polling'));
    const first = await rendio.submit({ model_id: modelId, prompt: DECLINED });
    await until('its end arrives', () => feed.events.some(isEndOf(first.job_id)));
    await until('its refund arrives', () => paymentsIn(feed.events).length === 2);
    proxy.holdAnswers(STREAM, false);
    proxy.close();
    proxy.open();
    await until('the stream is open', () => feed.states.at(-1) === 'live');
    const second = await rendio.submit({ model_id: modelId, prompt: DECLINED });
    await until('the second end arrives', () => feed.events.some(isEndOf(second.job_id)));
    await until('the second refund arrives', () => paymentsIn(feed.events).length === 4);
    const balances = paymentsIn(feed.events).map(({ credits_remaining }) => credits_remaining);
    assert.deepEqual(balances, [9, 10, 9, 10]);
    for (const { job_id } of [first, second]) assert.equal(feed.events.filter(isEndOf(job_id)).length, 1);
    const failed = feed.events.filter(({ type }) => type === 'failed');
    assert.deepEqual(Object.keys(failed[0] ?? {}).sort(), Object.keys(failed[1] ?? {}).sort());
  });

  test('that were polled are not repeated by the stream that continues after them', async () => {
    await using guest = await guestByProxy();
    const { rendio, proxy, modelId, calls } = guest;
    using feed = listen(rendio);
    await until('the stream is open', () => feed.states.includes('live'));
    proxy.holdAnswers(STREAM, true);
    proxy.close();
    proxy.open();
    const { job_id } = await rendio.submit({ model_id: modelId, prompt: DECLINED });
    await until('its refund arrives', () => paymentsIn(feed.events).length === 2);
    assert.equal(feed.states.at(-1), 'polling');
    const opened = proxy.requests(STREAM).length;
    proxy.holdAnswers(STREAM, false);
    proxy.close();
    proxy.open();
    await until('the stream is open', () => feed.states.at(-1) === 'live');
    assert.ok(proxy.requests(STREAM).length > opened);
    assert.ok(calls.some(({ path, headers }) => path.endsWith(STREAM) && headers.has('Last-Event-ID')));
    const next = await rendio.submit({ model_id: modelId, prompt: DECLINED });
    await until('the next refund arrives', () => paymentsIn(feed.events).length === 4);
    assert.equal(feed.events.filter(isEndOf(job_id)).length, 1);
    assert.deepEqual(typesOf(feed.events.filter((event) => 'job_id' in event && event.job_id === next.job_id)), [
      'queued',
      'processing',
      'failed',
    ]);
  });

  test('end with the signal, and leave no connection behind', async () => {
    await using guest = await guestByProxy();
    const { rendio, proxy, modelId } = guest;
    const controller = new AbortController();
    const seen: JobEvent[] = [];
    const reading = (async () => {
      for await (const event of rendio.events({ signal: controller.signal })) seen.push(event);
    })();
    await until('the stream is open', () => proxy.requests(STREAM).length === 1);
    await rendio.submit({ model_id: modelId, prompt: DECLINED });
    await until('an event has arrived', () => seen.length > 0);
    controller.abort();
    await reading;
    const opened = proxy.requests(STREAM).length;
    proxy.close();
    proxy.open();
    await until('the proxy is open again', async () => (await rendio.credits().catch(() => 0)) > 0);
    assert.equal(proxy.requests(STREAM).length, opened);
  });

  test('belong to the new account as soon as the session does', async () => {
    const { rendio, modelId } = await newClient(server.url);
    using feed = listen(rendio);
    await rendio.submit({ model_id: modelId, prompt: DECLINED });
    await until('the refund arrives', () => paymentsIn(feed.events).length === 2);
    await rendio.forget();
    feed.events.length = 0;
    await rendio.onboard();
    const { job_id } = await rendio.submit({ model_id: modelId, prompt: DECLINED });
    await until('its end arrives', () => feed.events.some(isEndOf(job_id)));
    assert.ok(feed.events.every((event) => !('job_id' in event) || event.job_id === job_id));
  });
});

describe('generate', { concurrency: 3 }, () => {
  test('resolves with a video that can be downloaded, and reports rising progress', async () => {
    const { rendio, modelId } = await newClient(server.url);
    const seen: (number | null)[] = [];
    const request = { model_id: modelId, prompt: 'a paper boat', settings: SHORT };
    const job = await rendio.generate(request, { onProgress: ({ progress }) => seen.push(progress) });
    assert.equal(job.status, 'completed');
    const video = await fetch(job.video_url ?? '');
    assert.deepEqual([video.status, video.headers.get('Content-Type')], [200, 'video/mp4']);
    assert.ok(seen.length >= 2);
    const values = seen.map((progress) => progress ?? 0);
    assert.deepEqual(
      values,
      values.toSorted((a, b) => a - b),
    );
  });

  test('resolves where no events arrive', async () => {
    await using guest = await guestByProxy();
    guest.proxy.holdAnswers(STREAM, true);
    const request = { model_id: guest.modelId, prompt: 'a quiet boat', settings: SHORT };
    assert.equal((await guest.rendio.generate(request)).status, 'completed');
  });

  test('rejects when its signal aborts, and the job continues', async () => {
    const { rendio, modelId } = await newClient(server.url);
    const controller = new AbortController();
    const request = { model_id: modelId, prompt: ENDLESS };
    const waiting = rendio.generate(request, {
      signal: controller.signal,
      onProgress: ({ status }) => status === 'processing' && controller.abort(new Error('enough')),
    });
    await assert.rejects(waiting, { message: 'enough' });
    const { jobs } = await rendio.jobs();
    assert.deepEqual([jobs.length, jobs[0]?.status], [1, 'processing']);
    await rendio.cancel(jobs[0]?.job_id ?? '');
  });

  test('rejects with the error that its listener throws', async () => {
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

test('generate resolves although the server is killed and started again', async () => {
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
