/** How soon an app receives the event that its video is done, once the provider has sent its webhook. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createFalSimulator } from '../sim/fal.ts';
import { serveSimulator } from '../sim/serve.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { silentLog } from '../src/kernel/log.ts';
import { openEventSource, type TestEventSource } from '../test/support/event-source.ts';
import { type Guest, onboardGuest } from '../test/support/guest.ts';
import { startTestServer } from '../test/support/server.ts';
import { type Bench, quantile } from './report.ts';

const VIDEOS = 40;
const P95_MAX_MS = 1_000;
/** Fine enough for the measured times, with little load. */
const CHECK_EVERY_MS = 2;

export const webhook: Bench = async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-webhook-'));
  const fal = await createFalSimulator({ dataDir, clock: systemClock, log: silentLog, deliver: fetch });
  // No job progresses by itself: each ends by a control call.
  fal.controls.setTiming({ queueMs: 0, runMs: null });
  const served = await serveSimulator(fal.app);
  try {
    const { host } = new URL(served.url);
    await using server = await startTestServer({
      env: {
        FALAI_API_KEY: fal.credentials.apiKey,
        FAL_QUEUE_URL: served.url,
        FAL_REST_URL: served.url,
        MEDIA_ALLOWED_HOSTS: host,
        INITIAL_GRANT_CREDITS: '1000',
      },
    });
    const guest = await onboardGuest(server.url);
    await using stream = openEventSource(guest);
    const [completed, failed]: [number[], number[]] = [[], []];
    for (let count = 0; count < VIDEOS; count += 1) {
      completed.push(await timeOne(guest, stream, fal, 'completed'));
      failed.push(await timeOne(guest, stream, fal, 'failed'));
    }
    return [
      { name: 'webhook to `completed`, p50', value: quantile(completed, 0.5), unit: 'ms' },
      { name: 'webhook to `completed`, p95', value: quantile(completed, 0.95), unit: 'ms', promise: P95_MAX_MS },
      { name: 'webhook to `completed`, max', value: Math.max(...completed), unit: 'ms' },
      { name: 'webhook to `failed`, p95', value: quantile(failed, 0.95), unit: 'ms', promise: P95_MAX_MS },
    ];
  } finally {
    await fal.close();
    await served.close();
    await rm(dataDir, { recursive: true, force: true });
  }
};

/** From the moment when the provider ends the job to its event in the app: webhook, poll, download and probe included. */
async function timeOne(
  guest: Guest,
  stream: TestEventSource,
  fal: Awaited<ReturnType<typeof createFalSimulator>>,
  ending: 'completed' | 'failed',
): Promise<number> {
  const begun = (await fal.controls.jobs()).length;
  fal.controls.planOutcomes(ending === 'completed' ? 'video' : 'moderated');
  const jobId = await generate(guest);
  const hasReceived = (event: string) =>
    stream.events.some((each) => each.data.job_id === jobId && each.event === event);
  await until(() => hasReceived('processing'));
  const job = (await fal.controls.jobs())[begun];
  if (!job) throw new Error('the job never reached the provider');
  const startedAt = performance.now();
  void fal.controls.finish(job.requestId);
  await until(() => hasReceived(ending));
  return performance.now() - startedAt;
}

async function generate(guest: Guest): Promise<string> {
  const { models } = await (await guest.call('get-models')).json();
  const model = models.find(({ name }: { name: string }) => name === 'Cinematic Fast');
  const key = { 'Idempotency-Key': crypto.randomUUID() };
  const begun = await guest.call('generate-video', { model_id: model.id, prompt: 'a cat playing piano' }, key);
  return (await begun.json()).job_id;
}

async function until(holds: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 30_000;
  while (!holds()) {
    if (performance.now() > giveUpAt) throw new Error('no event within 30 s');
    await wait(CHECK_EVERY_MS);
  }
}
