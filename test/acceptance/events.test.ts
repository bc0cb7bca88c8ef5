/** Server-sent events: every change of a user's videos and credits, once, in order, to that user only. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startTestServer } from '../support/server.ts';
import { STATUSES } from './support/answers.ts';
import { call } from './support/api.ts';
import { type EventReader, listen, type StreamEvent } from './support/events.ts';
import { FAILING, newGuest, SHORT } from './support/guest.ts';
import { assertRefused } from './support/refusal.ts';
import { assertShape, httpUrl, integer, nullable, oneOf, time } from './support/shape.ts';
import { OWN_SERVER, useTarget } from './support/target.ts';

const target = useTarget();

const PHASES: Record<string, string> = {
  queued: 'pending',
  processing: 'processing',
  completed: 'completed',
  failed: 'failed',
};

/** Asserts the fields that an event of its type must have; more are allowed. */
function assertEvent({ id, event, data }: StreamEvent): void {
  assert.match(id, /^[\w.-]+$/);
  assertShape(data.created_at, time);
  if (event === 'credits') {
    assertShape(data.credits_remaining, integer);
    return;
  }
  assertShape(event, oneOf(...Object.keys(PHASES)));
  assert.equal(data.status, PHASES[event]);
  assertShape(data.status, oneOf(...STATUSES));
  assert.match(String(data.job_id), /^[0-9a-f-]{36}$/);
  if (event === 'processing') {
    assertShape(data.progress, nullable(integer));
    assertShape(data.queue_position, nullable(integer));
  }
  if (event === 'completed') {
    assertShape(data.video_url, httpUrl);
    assertShape(data.thumbnail_url, httpUrl);
  }
}

const ofJob = (reader: EventReader, jobId: string) => reader.seen.filter(({ data }) => data.job_id === jobId);
const isEnd = (jobId: string) => (each: StreamEvent) =>
  each.data.job_id === jobId && ['completed', 'failed'].includes(each.event);

/** Media URLs are signed as they are sent: anew for each stream. */
const withoutTokens = ({ data, ...event }: StreamEvent) => ({
  ...event,
  data: JSON.stringify(data).replace(/token=[\w.-]+/g, ''),
});

/** A guest with one finished video and all events of its stream. */
async function makeVideo() {
  const guest = await newGuest(target.url);
  await using reader = await listen(guest);
  const { job_id } = await guest.start({ prompt: 'a paper boat', settings: { ...SHORT, duration: 2 } });
  await reader.until(isEnd(job_id));
  return { guest, job_id, events: [...reader.seen] };
}

describe('job-events', { concurrency: true }, () => {
  test('is a stream that no proxy buffers, with comment lines while nothing happens', async () => {
    const guest = await newGuest(target.url);
    await using reader = await listen(guest);
    assert.match(reader.headers.get('content-type') ?? '', /^text\/event-stream/);
    assert.match(reader.headers.get('cache-control') ?? '', /no-cache|no-store/);
    assert.equal(reader.headers.get('content-encoding'), null);
    assert.ok(reader.headers.get('x-request-id'));
    assert.match(await reader.untilComment(25_000), /^:/);
    assert.deepEqual(reader.seen, []);
  });

  test('reports the charge, the queueing, the processing and the end of a video, in this order', async () => {
    const { job_id, events, guest } = await makeVideo();
    for (const event of events) assertEvent(event);
    const ids = events.map(({ id }) => Number(id));
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(ids).size, ids.length);

    const phases = events.filter(({ event }) => event !== 'credits').map(({ event }) => event);
    assert.deepEqual([phases[0], phases[1], phases.at(-1)], ['queued', 'processing', 'completed']);
    assert.ok(phases.slice(1, -1).every((phase) => phase === 'processing'));
    const progress = events.flatMap(({ data }) => (typeof data.progress === 'number' ? [data.progress] : []));
    assert.deepEqual(
      progress,
      progress.toSorted((a, b) => a - b),
    );

    const balances = events.filter(({ event }) => event === 'credits').map(({ data }) => data.credits_remaining);
    assert.deepEqual(balances, [9]);
    assert.ok(events.every(({ data }) => data.job_id === job_id || data.job_id === undefined));
    assert.equal((await guest.job(job_id)).status, 'completed');
  });

  test('reports a failure with its code and a message in the language of the listener, and the refund', async () => {
    const guest = await newGuest(target.url);
    await using english = await listen(guest);
    await using turkish = await listen(guest, { headers: { 'Accept-Language': 'tr' } });
    const { job_id } = await guest.start({ prompt: FAILING });
    const [one, two] = await Promise.all([english.until(isEnd(job_id)), turkish.until(isEnd(job_id))]);
    assert.deepEqual([one.event, one.data.error_code, two.data.error_code], ['failed', 'ERR_5003', 'ERR_5003']);
    assert.ok(one.data.error_message && two.data.error_message);
    assert.notEqual(one.data.error_message, two.data.error_message);
    await english.until(({ event, data }) => event === 'credits' && data.credits_remaining === 10);
    const balances = english.seen.filter(({ event }) => event === 'credits').map(({ data }) => data.credits_remaining);
    assert.deepEqual(balances, [9, 10]);
  });

  test('reports a cancellation, and no event of the job after it', async () => {
    const guest = await newGuest(target.url);
    await using reader = await listen(guest);
    const { job_id } = await guest.start();
    await reader.until(({ event }) => event === 'processing');
    await guest.cancel(job_id);
    const end = await reader.until(isEnd(job_id));
    assert.deepEqual([end.event, end.data.error_code], ['failed', 'ERR_5004']);
    const second = await guest.start({ prompt: FAILING });
    await reader.until(isEnd(second.job_id));
    assert.equal(
      ofJob(reader, job_id)
        .filter(({ event }) => event !== 'credits')
        .at(-1)?.id,
      end.id,
    );
  });

  test('resumes after the last event that was received, whichever it is, without loss or repetition', async () => {
    const { guest, events, job_id } = await makeVideo();
    for (const [index, { id }] of events.entries()) {
      await using reader = await listen(guest, { lastEventId: id });
      const rest = events.slice(index + 1);
      if (rest.length > 0) await reader.until(isEnd(job_id));
      assert.deepEqual(reader.seen.map(withoutTokens), rest.map(withoutTokens), `after ${id}`);
    }
  });

  test('reports what happened between two connections', async () => {
    const guest = await newGuest(target.url);
    const first = await listen(guest);
    const { job_id } = await guest.start({ prompt: 'a paper boat', settings: { ...SHORT, duration: 2 } });
    const last = await first.until(({ event }) => event === 'processing');
    await first.close();
    const seen = [...first.seen];
    const lastId = seen.at(-1)?.id ?? last.id;
    await guest.waitFor(job_id, ['completed']);
    await using second = await listen(guest, { lastEventId: lastId });
    await second.until(isEnd(job_id));
    const ids = [...seen, ...second.seen].map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, 'nothing twice');
    assert.deepEqual(
      second.seen.filter(({ event }) => event === 'queued'),
      [],
    );
    const begin = seen[0];
    assert.ok(begin);
    await using all = await listen(guest, { lastEventId: begin.id });
    await all.until(isEnd(job_id));
    const expected = [...seen, ...second.seen].map(withoutTokens);
    assert.deepEqual([begin, ...all.seen].map(withoutTokens), expected, 'nothing lost');
  });

  test('without Last-Event-ID begins with the unfinished videos', async () => {
    const guest = await newGuest(target.url);
    const done = await guest.start({ prompt: FAILING });
    await guest.waitFor(done.job_id, ['failed']);
    const { job_id } = await guest.start();
    await guest.waitFor(job_id, ['processing']);
    await using reader = await listen(guest);
    const first = await reader.until(() => true);
    assertEvent(first);
    assert.deepEqual([first.event, first.data.job_id], ['processing', job_id]);
    await guest.cancel(job_id);
    await reader.until(isEnd(job_id));
    assert.deepEqual(ofJob(reader, done.job_id), []);
  });

  test('events of another user are never in it, with any Last-Event-ID', async () => {
    const [mine, theirs] = [await newGuest(target.url), await newGuest(target.url)];
    await using fresh = await listen(mine);
    await using old = await listen(mine, { lastEventId: '0' });
    const foreign = await Promise.all(Array.from({ length: 3 }, () => theirs.start({ prompt: FAILING })));
    await Promise.all(foreign.map(({ job_id }) => theirs.waitFor(job_id, ['failed'])));
    const own = await mine.start({ prompt: FAILING });
    await Promise.all([fresh.until(isEnd(own.job_id)), old.until(isEnd(own.job_id))]);
    for (const { data } of [...fresh.seen, ...old.seen]) {
      assert.ok(!foreign.some(({ job_id }) => JSON.stringify(data).includes(job_id)));
      assert.equal(JSON.stringify(data).includes(theirs.userId), false);
    }
    const counts = [...fresh.seen, ...old.seen].filter(({ event }) => event === 'failed').length;
    assert.equal(counts, 2);
  });

  test('an invalid Last-Event-ID still opens a stream', async () => {
    const guest = await newGuest(target.url);
    for (const lastEventId of [
      'garbage',
      '-1',
      '1.5',
      '4000000000',
      '9'.repeat(20),
      'NaN',
      '',
      "1' or 1=1",
      'x'.repeat(3000),
    ]) {
      await using reader = await listen(guest, { lastEventId });
      const { job_id } = await guest.start({ prompt: FAILING });
      await reader.until(isEnd(job_id));
    }
  });

  test('five streams of one account receive the same, and the oldest ends when a sixth is opened', async () => {
    const guest = await newGuest(target.url);
    const oldest = await listen(guest);
    const readers = await Promise.all(Array.from({ length: 5 }, () => listen(guest)));
    await oldest.ended;
    const { job_id } = await guest.start({ prompt: FAILING });
    await Promise.all(readers.map((reader) => reader.until(isEnd(job_id))));
    const balances = readers.map((reader) => reader.until(({ data }) => data.credits_remaining === 10));
    await Promise.all(balances);
    for (const reader of readers) assert.deepEqual(reader.seen, readers[0]?.seen);
    await Promise.all(readers.map((reader) => reader.close()));
  });

  test('needs a valid token', async () => {
    assertRefused(await call(target.url, 'GET', 'job-events'), 401, 'ERR_4005');
    assertRefused(await call(target.url, 'GET', 'job-events', { token: 'x' }), 401, 'ERR_4005');
  });
});

describe('the shutdown of the server', OWN_SERVER, () => {
  test('ends its streams quickly and cleanly, and the next server resumes them', async () => {
    await using server = await startTestServer();
    const guest = await newGuest(server.url);
    await using reader = await listen(guest);
    const { job_id } = await guest.start();
    const last = await reader.until(({ event }) => event === 'processing');
    const began = performance.now();
    await server.kill('SIGTERM');
    await reader.ended;
    assert.ok(performance.now() - began < 10_000, 'an open stream does not hold up the shutdown');
    const { port } = new URL(server.url);
    await using again = await startTestServer({ env: { DATA_DIR: server.dataDir, PORT: port } });
    assert.equal(again.url, server.url);
    const seenLast = reader.seen.at(-1)?.id ?? last.id;
    await using second = await listen(guest, { lastEventId: seenLast });
    await guest.cancel(job_id);
    const end = await second.until(isEnd(job_id));
    assert.equal(end.data.error_code, 'ERR_5004');
    assert.ok(second.seen.every(({ id }) => Number(id) > Number(seenLast)));
    assert.equal(await guest.balance(), 10);
  });
});
