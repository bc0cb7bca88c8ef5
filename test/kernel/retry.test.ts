import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRetryableStatus, retry, retryAfterMsOf, systemRetryTools, type TryResult } from '../../src/kernel/retry.ts';

const clock = { now: () => new Date(Date.UTC(2026, 10, 22, 12)) };
const NEVER = new AbortController().signal;

/** Returns the results in turn, then the last one for every further attempt, and records the waits. */
function script(results: Partial<TryResult<number>>[], random = 0) {
  const waits: number[] = [];
  let count = 0;
  const tools = { sleep: async (ms: number) => void waits.push(ms), random: () => random };
  const tryOnce = async (): Promise<TryResult<number>> => {
    const next = results[Math.min(count, results.length - 1)];
    count += 1;
    return { answer: count, isRetryable: true, retryAfterMs: null, ...next };
  };
  return { waits, tools, tryOnce, count: () => count };
}

test('an answer that is not retryable is returned at once', async () => {
  const { waits, tools, tryOnce, count } = script([{ isRetryable: false }]);
  assert.equal((await retry(tryOnce, tools, NEVER)).answer, 1);
  assert.deepEqual([count(), waits], [1, []]);
});

test('a retryable answer is retried after 2, 4 and 8 seconds, and then the last answer is returned', async () => {
  const { waits, tools, tryOnce } = script([{}]);
  assert.deepEqual(await retry(tryOnce, tools, NEVER), { answer: 4, isRetryable: true, retryAfterMs: null });
  assert.deepEqual(waits, [2_000, 4_000, 8_000]);
});

test('jitter makes a wait up to a quarter longer, never shorter', async () => {
  const { waits, tools, tryOnce } = script([{}], 0.999999);
  await retry(tryOnce, tools, NEVER);
  for (const [index, plainMs] of [2_000, 4_000, 8_000].entries()) {
    const waitMs = waits[index] ?? 0;
    assert.ok(waitMs > plainMs * 1.24 && waitMs <= plainMs * 1.25, String(waitMs));
  }
  for (let i = 0; i < 100; i += 1) assert.ok(systemRetryTools.random() >= 0 && systemRetryTools.random() < 1);
});

test('Retry-After is waited for up to 30 seconds; a longer one ends the attempts', async () => {
  const short = script([{ retryAfterMs: 500 }, { retryAfterMs: 30_000 }, { retryAfterMs: 30_001 }]);
  const last = await retry(short.tryOnce, short.tools, NEVER);
  assert.deepEqual(short.waits, [2_000, 30_000]);
  assert.deepEqual(last, { answer: 3, isRetryable: true, retryAfterMs: 30_001 });
});

test('the signal ends a wait, and the last answer is returned', async () => {
  const controller = new AbortController();
  const { tryOnce, count } = script([{}]);
  const answer = retry(tryOnce, { ...systemRetryTools, random: () => 0 }, controller.signal);
  setImmediate(() => controller.abort());
  assert.equal((await answer).answer, 1);
  assert.equal(count(), 1);
});

test('an attempt is aborted by the caller’s signal', async () => {
  const controller = new AbortController();
  const answer = retry(
    (signal) =>
      new Promise<TryResult<string>>((resolve) => {
        signal.addEventListener('abort', () => resolve({ answer: 'aborted', isRetryable: true, retryAfterMs: null }));
        controller.abort();
      }),
    systemRetryTools,
    controller.signal,
  );
  assert.equal((await answer).answer, 'aborted');
});

test('Retry-After is read in both forms; any other value is ignored', () => {
  const of = (value?: string) =>
    retryAfterMsOf(new Headers(value === undefined ? {} : { 'retry-after': value }), clock);
  assert.equal(of('0'), 0);
  assert.equal(of(' 12 '), 12_000);
  assert.equal(of('Sun, 22 Nov 2026 12:00:09 GMT'), 9_000);
  assert.equal(of('Sun, 22 Nov 2026 11:00:00 GMT'), 0);
  for (const value of [undefined, '', 'soon', '-1 x', '999999999999']) assert.equal(of(value), null, value);
});

test('the retryable statuses are those of the retry policy', () => {
  const retryable = [408, 429, 500, 502, 503, 504];
  for (let status = 100; status < 600; status += 1) assert.equal(isRetryableStatus(status), retryable.includes(status));
});
