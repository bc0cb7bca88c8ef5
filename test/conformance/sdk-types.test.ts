/**
 * The vendors' own types and SDKs against our adapters and simulators. `tsc` checks the types: the expected input of
 * the adapters and the answers of the simulators are declared with the vendors' types. The unmodified SDKs check the
 * answers themselves.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { ApiError, createFalClient, type QueueStatus, ValidationError } from '@fal-ai/client';
import type { EndpointTypeMap } from '@fal-ai/client/endpoints';
import RunwayML, { TaskFailedError } from '@runwayml/sdk';
import type { z } from 'zod';
import { inputShapes as falShapes } from '../../sim/fal/endpoints.ts';
import type { acceptedBody } from '../../sim/fal/reply.ts';
import type { inputShapes as runwayShapes } from '../../sim/runway/models.ts';
import type { Outcome } from '../../sim/runway/outcome.ts';
import { serveSimulator } from '../../sim/serve.ts';
import { createWorld, type World } from '../../sim/world.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { knownEndpoints } from '../../src/providers/fal/models.ts';
import { knownModels } from '../../src/providers/runway/models.ts';
import { falBench, IMAGE, manualClock, requestFor } from '../providers/fal-bench.ts';
import { PNG, runwayBench } from '../providers/runway-bench.ts';
import {
  catalogueChoices,
  type Endpoint,
  FAL_CASES,
  type ImageToVideo,
  type Input,
  keyOf,
  PROMPT,
  RUNWAY_CASES,
  type TextToVideo,
} from './sdk-cases.ts';

/** Compiles only where the second type is assignable to the first. */
type Fits<Official, Ours extends Official> = Ours;
type FalShapes = typeof falShapes;
type RunwayShapes = typeof runwayShapes;
/** Endpoints where the simulator accepts input that fal does not, or that fal does not have. */
type TooPermissive = {
  [E in keyof FalShapes]: E extends Endpoint ? (z.infer<FalShapes[E]> extends Input<E> ? never : E) : E;
}[keyof FalShapes];

/** Input that the simulators accept is valid for the vendors; the answer to a submit is a status of fal's. */
type Agreements = [
  Fits<never, TooPermissive>,
  Fits<TextToVideo, z.infer<RunwayShapes['text_to_video']>>,
  Fits<ImageToVideo, z.infer<RunwayShapes['image_to_video']>>,
  Fits<QueueStatus, ReturnType<typeof acceptedBody>>,
];
const agreements = 4 satisfies Agreements['length'];

// The vendors' types are not `any`: they reject invalid input.
// @ts-expect-error Veo has no duration of five seconds.
'5s' satisfies Input<'fal-ai/veo3.1'>['duration'];
// @ts-expect-error Gen-4.5 has no square ratio.
'960:960' satisfies Extract<TextToVideo, { model: 'gen4.5' }>['ratio'];
// @ts-expect-error Pika's duration is a string.
5 satisfies Input<'fal-ai/pika/v2.2/text-to-video'>['duration'];

async function worldFor(t: TestContext): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sdk-types-'));
  const world = await createWorld({ dataDir, clock: manualClock(), log: silentLog });
  world.fal.controls.setTiming({ queueMs: null, runMs: null });
  world.runway.controls.setTiming({ queueMs: null, runMs: null });
  t.after(async () => {
    await world.close();
    await rm(dataDir, { recursive: true });
  });
  return world;
}

suite('the adapters send input of the vendors’ types', () => {
  test('the cases contain every choice of every model in the catalogue, and every known model', () => {
    const known = new Set([...FAL_CASES, ...RUNWAY_CASES].map(keyOf));
    const choices = [...catalogueChoices()];
    assert.ok(choices.length > 100, String(choices.length));
    assert.deepEqual(
      choices.map(keyOf).filter((key) => !known.has(key)),
      [],
    );
    const models = new Set([...FAL_CASES, ...RUNWAY_CASES].map(({ model }) => model));
    assert.deepEqual([...models].sort(), [...knownEndpoints, ...knownModels].sort());
    assert.equal(agreements, 4);
  });

  test('fal gets exactly the input that fits its types', async (t) => {
    const { provider, controls, signal } = await falBench(t);
    for (const { model, settings, input } of FAL_CASES) {
      await provider.submit(requestFor({ providerModelId: model, prompt: PROMPT, settings, image: IMAGE }), signal);
      assert.deepEqual(controls.calls().at(-1)?.input, input, keyOf({ model, settings }));
    }
    assert.equal(controls.calls().length, FAL_CASES.length);
  });

  test('Runway gets exactly the body that fits its types', async (t) => {
    const { provider, controls, signal } = await runwayBench(t);
    for (const { model, settings, input } of RUNWAY_CASES) {
      await provider.submit(requestFor({ providerModelId: model, prompt: PROMPT, settings, image: IMAGE }), signal);
      assert.deepEqual(controls.calls().at(-1)?.input, input, keyOf({ model, settings }));
    }
    assert.equal((await controls.jobs()).length, RUNWAY_CASES.length, 'and accepts it');
  });
});

suite('fal’s SDK works with the simulator', () => {
  for (const transport of ['inside the process', 'over a port'] as const) {
    test(`every endpoint accepts a job and returns its video, ${transport}`, async (t) => {
      const { fal, fetch: inside } = await worldFor(t);
      const served = transport === 'over a port' ? await serveSimulator(fal.app) : undefined;
      t.after(() => served?.close());
      const client = createFalClient({
        credentials: fal.credentials.apiKey,
        ...(served
          ? {
              requestMiddleware: async (request) => ({
                ...request,
                url: request.url.replace(fal.urls.queueUrl, served.url),
              }),
            }
          : { fetch: inside }),
      });
      const fetchFile = served ? fetch : inside;
      for (const endpoint of Object.keys(falShapes)) {
        const input = FAL_CASES.find(({ model }) => model === endpoint)?.input;
        assert.ok(input, endpoint);
        const submission = await client.queue.submit(endpoint, { input });
        assert.deepEqual([submission.status, typeof submission.queue_position], ['IN_QUEUE', 'number']);
        const requestId = submission.request_id;
        const fetchStatus = () => client.queue.status(endpoint, { requestId, logs: true });
        await fal.controls.start(requestId);
        const running = await fetchStatus();
        assert.ok(running.status === 'IN_PROGRESS' && running.logs[0]?.message);
        await fal.controls.finish(requestId);
        const ended = await fetchStatus();
        assert.ok(ended.status === 'COMPLETED' && typeof ended.metrics?.inference_time === 'number');
        const result = await client.queue.result(endpoint, { requestId });
        assert.equal(result.requestId, requestId);
        const { video }: EndpointTypeMap['fal-ai/veo3.1']['output'] = result.data;
        const response = await fetchFile(video.url);
        assert.deepEqual([response.status, response.headers.get('content-type')], [200, video.content_type]);
        await response.body?.cancel();
      }
    });
  }

  test('it gets fal’s errors: a model’s errors by field, the queue’s errors by status', async (t) => {
    const { fal, fetch: inside } = await worldFor(t);
    const client = createFalClient({ credentials: fal.credentials.apiKey, fetch: inside });
    const endpoint = 'fal-ai/veo3.1';
    const { request_id: requestId } = await client.queue.submit(endpoint, { input: { prompt: '[fal:moderated]' } });
    await assert.rejects(client.queue.result(endpoint, { requestId }), (error: unknown) => {
      return error instanceof ApiError && error.status === 400;
    });
    await fal.controls.finish(requestId);
    await assert.rejects(client.queue.result(endpoint, { requestId }), (error: unknown) => {
      assert.ok(error instanceof ValidationError);
      const [problem] = error.fieldErrors;
      assert.deepEqual([problem?.type, problem?.loc], ['content_policy_violation', ['body', 'prompt']]);
      return true;
    });
    const waiting = await client.queue.submit(endpoint, { input: { prompt: PROMPT } });
    await client.queue.cancel(endpoint, { requestId: waiting.request_id });
    assert.equal((await client.queue.status(endpoint, { requestId: waiting.request_id })).status, 'COMPLETED');
    const otherAccount = createFalClient({ credentials: 'another:account', fetch: inside });
    await assert.rejects(otherAccount.queue.submit(endpoint, { input: { prompt: PROMPT } }), { status: 401 });
  });
});

suite('Runway’s SDK works with the simulator', () => {
  for (const transport of ['inside the process', 'over a port'] as const) {
    const clientFor = async (t: TestContext) => {
      const world = await worldFor(t);
      const { runway } = world;
      const served = transport === 'over a port' ? await serveSimulator(runway.app) : undefined;
      t.after(() => served?.close());
      const { apiKey } = runway.credentials;
      const connection = served ? { baseURL: served.url } : { baseURL: runway.urls.baseUrl, fetch: world.fetch };
      const client = new RunwayML({ apiKey, maxRetries: 0, logLevel: 'off', ...connection });
      return { client, controls: runway.controls, fetchFile: served ? fetch : world.fetch };
    };

    test(`a task is created, retrieved and waited for, ${transport}`, async (t) => {
      const { client, controls, fetchFile } = await clientFor(t);
      const shape = { promptText: PROMPT, ratio: '1280:720', duration: 2 } as const;
      const animated = { model: 'gen4_turbo', promptImage: 'https://media.example/heron.png', ...shape } as const;
      for (const created of [
        await client.textToVideo.create({ model: 'gen4.5', ...shape }),
        await client.imageToVideo.create(animated),
      ]) {
        assert.equal(typeof created.estimatedCost.credits, 'number');
        const waiting = await client.tasks.retrieve(created.id);
        assert.ok(waiting.status === 'PENDING' && !Number.isNaN(Date.parse(waiting.createdAt)));
        await controls.start(created.id);
        const running = await client.tasks.retrieve(created.id);
        assert.ok(running.status === 'RUNNING' && running.progress >= 0 && running.progress <= 1);
        await controls.finish(created.id);
        const ended = await client.tasks.retrieve(created.id).waitForTaskOutput();
        assert.deepEqual(ended.cost, created.estimatedCost);
        const response = await fetchFile(ended.output[0] ?? '');
        assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'video/mp4']);
        await response.body?.cancel();
      }
    });

    test(`a failed task throws its TaskFailedError, ${transport}`, async (t) => {
      const { client, controls } = await clientFor(t);
      const failing: [Outcome, string | undefined][] = [
        ['moderated', 'SAFETY.INPUT.TEXT'],
        ['internal', 'INTERNAL'],
        ['unnamed', undefined],
      ];
      for (const [outcome, code] of failing) {
        const body = { model: 'gen4.5', promptText: `[runway:${outcome}]`, ratio: '1280:720', duration: 2 } as const;
        const { id } = await client.textToVideo.create(body);
        await controls.finish(id);
        await assert.rejects(client.tasks.retrieve(id).waitForTaskOutput(), (error: unknown) => {
          assert.ok(error instanceof TaskFailedError && error.taskDetails.status === 'FAILED');
          assert.equal(error.taskDetails.failureCode, code);
          return true;
        });
      }
    });

    test(`an upload can be used, a deleted task is not found, and the account is described, ${transport}`, async (t) => {
      const { client, controls } = await clientFor(t);
      const file = new File([PNG], 'heron.png', { type: 'image/png' });
      const { uri } = await client.uploads.createEphemeral({ file });
      const { id } = await client.imageToVideo.create({ model: 'gen4_turbo', promptImage: uri, ratio: '960:960' });
      assert.equal((await controls.uploads())[0]?.bytes, PNG.length);
      await client.tasks.delete(id);
      await assert.rejects(client.tasks.retrieve(id), RunwayML.NotFoundError);
      const account = await client.organization.retrieve();
      assert.equal(typeof account.creditBalance, 'number');
      assert.equal(account.usage.models.gen4_turbo?.dailyGenerations, 1);
      assert.ok((account.tier.models['gen4.5']?.maxDailyGenerations ?? 0) > 0);
    });

    test(`it gets Runway’s errors, ${transport}`, async (t) => {
      const { client, controls } = await clientFor(t);
      const body = { model: 'gen4.5', promptText: PROMPT, ratio: '1280:720', duration: 11 } as const;
      await assert.rejects(client.textToVideo.create(body), (error: unknown) => {
        assert.ok(error instanceof RunwayML.BadRequestError);
        assert.match(error.message, /Validation of body failed/);
        return true;
      });
      const otherAccount = client.withOptions({ apiKey: 'key_else' });
      await assert.rejects(otherAccount.textToVideo.create(body), RunwayML.AuthenticationError);
      controls.plan({ on: 'status', reply: { status: 429 } });
      await assert.rejects(client.tasks.retrieve(crypto.randomUUID()), RunwayML.RateLimitError);
      controls.plan({ on: 'status', reply: 'cut' });
      await assert.rejects(client.tasks.retrieve(crypto.randomUUID()), RunwayML.APIConnectionError);
    });
  }
});
