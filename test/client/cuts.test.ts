/** A call retried by the client after a cut connection never charges twice. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { seeded } from '../stories/random.ts';
import { type CutPoint, type CuttingProxy, createCuttingProxy } from '../support/cutting-proxy.ts';
import type { TestServer } from '../support/server.ts';
import { startServerOnDatabase } from '../support/server-on-database.ts';
import { DECLINED, newClient } from './support.ts';

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
const random = seeded(SEED);

/** Before the first byte, within the request, after the request, within the answer, at the answer's end: four of each. */
const POINTS: CutPoint[] = Array.from({ length: 20 }, (_, index) => {
  const { part, from, to } = [
    { part: 'request' as const, from: 0, to: 0 },
    { part: 'request' as const, from: 0, to: 1 },
    { part: 'request' as const, from: 1, to: 1 },
    { part: 'answer' as const, from: 0, to: 1 },
    { part: 'answer' as const, from: index % 2, to: 1 },
  ][index % 5] ?? { part: 'request', from: 0, to: 0 };
  return { part, share: from + (to - from) * random() };
});

let server: TestServer;
let proxy: CuttingProxy;
before(async () => {
  server = await startServerOnDatabase();
  proxy = await createCuttingProxy(server.url);
});
after(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await server?.stop();
});

describe(`a request cut at 20 random points (seed ${SEED})`, { concurrency: 5 }, () => {
  for (const [index, point] of POINTS.entries()) {
    const isResumed = index % 3 === 0;
    const name = `${point.part} at ${(point.share * 100).toFixed(1)} %`;
    test(`${name} is one job and one charge${isResumed ? ', also for a client that is created again' : ''}`, async () => {
      const { rendio, storage, modelId } = await newClient(proxy.url);
      await rendio.onboard();
      const prompt = `cut number ${index} ${DECLINED}`;
      proxy.cutNext(prompt, point);
      const controller = new AbortController();
      const first = await rendio
        .submit(
          { model_id: modelId, prompt },
          { signal: controller.signal, onRetry: () => isResumed && controller.abort() },
        )
        .catch((error) => {
          if (!controller.signal.aborted) throw error;
          return null;
        });
      const { rendio: reopened } = await newClient(proxy.url, storage);
      const started = first ?? (await reopened.submit({ model_id: modelId, prompt }));
      assert.equal(await reopened.unanswered(), null);
      const { jobs } = await reopened.jobs();
      assert.deepEqual(
        jobs.map(({ job_id }) => job_id),
        [started.job_id],
      );
      const { transactions } = await reopened.creditHistory();
      const charges = transactions.filter(({ reason }) => reason === 'video_generation');
      assert.deepEqual(
        charges.map(({ job_id, change }) => [job_id, change]),
        [[started.job_id, -1]],
      );
    });
  }
});

test('all of these requests were cut', () => assert.equal(proxy.cuts, POINTS.length));
