/** How long an app waits for its balance, while the server is idle and while it renders all the time. */
import { setTimeout as wait } from 'node:timers/promises';
import { type Guest, onboardGuest } from '../test/support/guest.ts';
import { startTestServer } from '../test/support/server.ts';
import { type Bench, type Measurement, quantile } from './report.ts';

const CALLS_PER_SECOND = 50;
const SECONDS = 10;
const WARM_UP_SECONDS = 2;
/** More than are rendered at the same time, so that there is always a next one. */
const VIDEOS_IN_FLIGHT = 4;
const VIDEO = { duration: 5, resolution: '720p' };
const P99_MAX_MS = 50;

export const latency: Bench = async () => {
  await using server = await startTestServer({ env: { INITIAL_GRANT_CREDITS: '1000' } });
  const [caller, viewer] = [await onboardGuest(server.url), await onboardGuest(server.url)];
  await load(caller, WARM_UP_SECONDS);
  const idle = await load(caller, SECONDS);

  const stopping = new AbortController();
  const videos = Array.from({ length: VIDEOS_IN_FLIGHT }, () => generateVideos(viewer, stopping.signal));
  await wait(WARM_UP_SECONDS * 1_000);
  const busy = await load(caller, SECONDS);
  stopping.abort();
  const finished = (await Promise.all(videos)).reduce((sum, count) => sum + count, 0);
  return [
    ...summary('idle', idle),
    ...summary('rendering', busy, P99_MAX_MS),
    { name: 'videos finished meanwhile', value: finished / (SECONDS + WARM_UP_SECONDS), unit: '/s' },
  ];
};

/** Calls at a steady pace, without waiting for earlier answers; returns the time in ms from when each call was due. */
async function load(guest: Guest, seconds: number): Promise<number[]> {
  const began = performance.now();
  const calls = Array.from({ length: seconds * CALLS_PER_SECOND }, async (_, index) => {
    const dueMs = began + (index * 1_000) / CALLS_PER_SECOND;
    await wait(Math.max(0, dueMs - performance.now()));
    await guest.balance();
    return performance.now() - dueMs;
  });
  return Promise.all(calls);
}

/** Generates one video after the other; returns how many there were. */
async function generateVideos(guest: Guest, signal: AbortSignal): Promise<number> {
  for (let count = 0; ; count += 1) {
    const jobId = await guest.generate(VIDEO);
    while (!['completed', 'failed'].includes((await guest.job(jobId)).status)) {
      if (signal.aborted) return count;
      await wait(250);
    }
  }
}

function summary(name: string, waits: number[], p99MaxMs?: number): Measurement[] {
  return [
    { name: `get-user-credits, ${name}, p50`, value: quantile(waits, 0.5), unit: 'ms' },
    {
      name: `get-user-credits, ${name}, p99`,
      value: quantile(waits, 0.99),
      unit: 'ms',
      ...(p99MaxMs ? { promise: p99MaxMs } : {}),
    },
    { name: `get-user-credits, ${name}, max`, value: Math.max(...waits), unit: 'ms' },
  ];
}
