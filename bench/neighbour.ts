/** What one guest at its full allowance costs another: its wait for its balance through each attack, against as many plain calls. */
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type Guest, onboardGuest } from '../test/support/guest.ts';
import { startTestServer } from '../test/support/server.ts';
import { ATTACK_NAMES, type AttackInput, type AttackResult } from './neighbour-attacks.ts';
import { type Bench, type Measurement, quantile } from './report.ts';

const CALLS_PER_SECOND = 50;
const SECONDS_MIN = 6;
const WARM_UP_SECONDS = 2;
const NEIGHBOURS = 6;
/** What is promised of the 99th percentile: 3 × idle + 30 ms, or 1½ × what as many plain calls cost. */
const [IDLE_TIMES, IDLE_PLUS_MS, PLAIN_TIMES] = [3, 30, 1.5];

type Neighbour = { waits: number[]; failed: number };

export const neighbour: Bench = async () => {
  // The limits of production: development's are a hundred times as high.
  const env = {
    ...{ RATE_LIMIT_CALLS_PER_MINUTE: '600', RATE_LIMIT_ONBOARDING_PER_HOUR: '100000' },
    ...{ RATE_LIMIT_AUTH_PER_5_MINUTES: '100000', STRIPE_SECRET_KEY: 'sk_test_bench' },
    STRIPE_WEBHOOK_SECRET: 'whsec_benchbenchbenchbench',
  };
  await using server = await startTestServer({ env });
  // Several: one alone would use up its own calls of the minute.
  const measure = async (work: () => Promise<unknown>) => {
    const guests = await Promise.all(Array.from({ length: NEIGHBOURS }, () => onboardGuest(server.url)));
    return measureWhile(guests, work);
  };
  await measure(() => wait(WARM_UP_SECONDS * 1_000));
  const idle = await measure(() => wait(SECONDS_MIN * 1_000));
  const idleMs = quantile(idle.waits, 0.99);
  const measurements: Measurement[] = [{ name: 'idle, p99', value: idleMs, unit: 'ms' }];

  for (const attack of ATTACK_NAMES) {
    const results: AttackResult[] = [];
    const through = async (plain: AttackInput['plain']) => {
      const { userId, headers } = await onboardGuest(server.url);
      const input = { url: server.url, userId, headers, attack, plain };
      return measure(async () => results.push(await runAttack(input)));
    };
    const attacked = await through(null);
    const [{ calls, atOnce, failed } = { calls: 0, atOnce: 0, failed: 0 }] = results;
    const plain = await through({ calls, atOnce });
    const plainMs = quantile(plain.waits, 0.99);
    const promise = Math.round(Math.max(IDLE_TIMES * idleMs + IDLE_PLUS_MS, PLAIN_TIMES * plainMs));
    measurements.push(
      { name: `${attack} (${calls}), p99`, value: quantile(attacked.waits, 0.99), unit: 'ms', promise },
      { name: `${calls} plain calls instead, p99`, value: plainMs, unit: 'ms' },
      { name: `${attack}, 5xx, or no balance`, value: attacked.failed + failed, unit: 'calls', promise: 0 },
    );
  }
  return measurements;
};

/** Asks for the balance at a steady pace, without waiting for earlier answers, until the work is done; times in ms from when each was due. */
async function measureWhile(guests: Guest[], work: () => Promise<unknown>): Promise<Neighbour> {
  const began = performance.now();
  let isDone = false;
  const working = work().finally(() => {
    isDone = true;
  });
  const calls: Promise<number>[] = [];
  let failed = 0;
  for (let index = 0; !isDone || performance.now() - began < SECONDS_MIN * 1_000; index += 1) {
    const dueMs = began + (index * 1_000) / CALLS_PER_SECOND;
    await wait(Math.max(0, dueMs - performance.now()));
    const ask = async (guest: Guest | undefined) => {
      const response = await guest?.call('get-user-credits');
      await response?.arrayBuffer();
      if (response?.status !== 200) failed += 1;
      return performance.now() - dueMs;
    };
    calls.push(ask(guests[index % guests.length]));
  }
  await working;
  return { waits: await Promise.all(calls), failed };
}

async function runAttack(workerData: AttackInput): Promise<AttackResult> {
  const worker = new Worker(new URL('./neighbour-attacks.ts', import.meta.url), { workerData });
  const [result] = await once(worker, 'message');
  await worker.terminate();
  return result;
}
