/** How fast `get-user-credits` answers at a steady load, with the sandbox idle and with it rendering all the time. */
import { setTimeout as wait } from 'node:timers/promises';
import { type Guest, onboardGuest } from '../test/support/guest.ts';
import { startTestServer } from '../test/support/server.ts';
import { ms, printTable, quantile } from './table.ts';

const CALLS_PER_SECOND = 50;
const SECONDS = 15;

/** Calls at fixed times, whether or not earlier answers are there: a slow answer is not hidden by the wait for it. */
async function measure(guest: Guest): Promise<number[]> {
  const took: number[] = [];
  const calls: Promise<void>[] = [];
  const startedAt = performance.now();
  for (let call = 0; call < CALLS_PER_SECOND * SECONDS; call += 1) {
    const due = startedAt + (call * 1000) / CALLS_PER_SECOND;
    await wait(Math.max(0, due - performance.now()));
    calls.push(guest.balance().then(() => void took.push(performance.now() - due)));
  }
  await Promise.all(calls);
  return took.sort((a, b) => a - b);
}

/** Keeps two films in the making until told to stop. */
function keepRendering(guests: Guest[]): { stop(): Promise<number> } {
  let isOver = false;
  let films = 0;
  const work = guests.map(async (guest) => {
    while (!isOver) {
      const jobId = await guest.generate({ duration: 5, resolution: '720p' });
      while (!isOver && !(await guest.job(jobId)).status.match(/completed|failed/)) await wait(250);
      films += 1;
    }
  });
  return {
    async stop() {
      isOver = true;
      await Promise.all(work);
      return films;
    },
  };
}

export async function benchLatency(): Promise<void> {
  await using server = await startTestServer();
  const guest = await onboardGuest(server.url);
  await measure(guest);
  const idle = await measure(guest);
  const painters = await Promise.all([onboardGuest(server.url), onboardGuest(server.url)]);
  const rendering = keepRendering(painters);
  await wait(2_000);
  const busy = await measure(guest);
  const films = await rendering.stop();
  const row = (name: string, took: number[]) => [name, ...[0.5, 0.99, 1].map((share) => ms(quantile(took, share)))];
  printTable(
    `get-user-credits at ${CALLS_PER_SECOND} calls/s for ${SECONDS} s (promise: p99 under 50 ms while rendering)`,
    ['sandbox', 'p50', 'p99', 'max'],
    [row('idle', idle), row(`rendering, ${films} films`, busy)],
  );
}
