/** What the adapter sends to Runway, and what it declines without a request. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import { importGraph } from '../../scripts/import-graph.ts';
import { serveSimulator } from '../../sim/serve.ts';
import { Problem } from '../../src/kernel/errors.ts';
import { providerOf } from '../../src/providers/manifest.ts';
import type { GenerationRequest } from '../../src/providers/provider.ts';
import { createRunwayAdapter } from '../../src/providers/runway/index.ts';
import { runway } from '../../src/providers/runway/manifest.ts';
import { knownModels } from '../../src/providers/runway/models.ts';
import { DENO_VERSIONS, denoBinary } from '../door/support/deno.ts';
import { IMAGE, IMAGE_URL, manualClock, PROMPT } from './fal-bench.ts';
import { imageRequest, PNG, PRIVATE_IMAGE, runwayBench, runwayRequest } from './runway-bench.ts';

/** Settings that no model has; a catalogue may contain any settings. */
const foreign = { fps: 30, seed: 7, model: 'x', audio: true, negative_prompt: 'y', outputFormat: 'prores' };
const promptText = PROMPT;

const inputs: [string, Partial<GenerationRequest>, string, object][] = [
  [
    'gen4.5',
    { settings: { duration: 10, resolution: '1080p', aspect_ratio: '9:16', ...foreign }, image: IMAGE },
    'text_to_video',
    { model: 'gen4.5', promptText, duration: 10, ratio: '720:1280' },
  ],
  [
    'gen4.5',
    { settings: { duration: 2 } },
    'text_to_video',
    { model: 'gen4.5', promptText, duration: 2, ratio: '1280:720' },
  ],
  [
    'gen4_turbo',
    { settings: { duration: 5, aspect_ratio: '9:16', ...foreign }, image: IMAGE },
    'image_to_video',
    { model: 'gen4_turbo', promptText, duration: 5, ratio: '720:1280', promptImage: IMAGE_URL },
  ],
  ...Object.entries({ '4:3': '1104:832', '3:4': '832:1104', '1:1': '960:960', '21:9': '1584:672' }).map(
    ([aspect_ratio, ratio]): (typeof inputs)[number] => [
      'gen4_turbo',
      { settings: { duration: 5, aspect_ratio }, image: IMAGE },
      'image_to_video',
      { model: 'gen4_turbo', promptText, duration: 5, ratio, promptImage: IMAGE_URL },
    ],
  ),
];

suite('a submit to Runway', { concurrency: 4 }, () => {
  for (const [providerModelId, changed, path, expected] of inputs) {
    test(`${providerModelId} ${JSON.stringify(changed.settings)} gets its own fields in its own notation, and nothing else`, async (t) => {
      const { provider, controls, signal } = await runwayBench(t);
      const answer = await provider.submit(runwayRequest({ providerModelId, ...changed }), signal);
      const [call, ...others] = controls.calls();
      assert.deepEqual(others, []);
      assert.deepEqual(call?.input, expected);
      assert.equal(call?.path, `/v1/${path}`);
      assert.equal(answer.outcome, 'accepted');
    });
  }

  test('every known model is in the table above', () => {
    assert.deepEqual([...knownModels].sort(), [...new Set(inputs.map(([model]) => model))].sort());
  });

  test('an unknown model, an image model without its image, and an unknown aspect ratio are declined without a request', async (t) => {
    const { provider, controls, signal, log } = await runwayBench(t);
    const invalid: Partial<GenerationRequest>[] = [
      { providerModelId: 'gen9' },
      { providerModelId: '' },
      { providerModelId: '__proto__' },
      { providerModelId: 'gen4_turbo' },
      { settings: { duration: 5, aspect_ratio: '1:1' } },
      { settings: { duration: 5, aspect_ratio: '__proto__' } },
    ];
    for (const changed of invalid) {
      const answer = await provider.submit(runwayRequest(changed), signal);
      assert.equal(answer.outcome === 'declined' && answer.code, 'ERR_5003', JSON.stringify(changed));
      assert.deepEqual(
        log.lines.splice(0).map(({ level }) => level),
        ['error'],
      );
    }
    assert.deepEqual(controls.calls(), []);
  });

  test('a URL that Runway would not accept is not sent: the image is uploaded instead', async (t) => {
    const { provider, controls, signal } = await runwayBench(t);
    for (const url of ['http://127.0.0.1:8000/heron.png', `https://media.example/${'x'.repeat(2048)}`, null]) {
      const answer = await provider.submit(imageRequest({ image: { ...PRIVATE_IMAGE, url } }), signal);
      assert.equal(answer.outcome, 'accepted');
      assert.match(String(controls.calls().at(-1)?.input?.promptImage), /^runway:\/\//);
    }
    assert.equal((await controls.uploads()).length, 3);
  });

  test('each type of image is uploaded whole, with the file extension of its type', async (t) => {
    const { provider, controls, signal } = await runwayBench(t);
    for (const contentType of ['image/png', 'image/jpeg', 'image/webp'] as const) {
      await provider.submit(imageRequest({ image: { ...PRIVATE_IMAGE, contentType } }), signal);
    }
    const uploads = await controls.uploads();
    assert.deepEqual(uploads.map(({ fileName }) => fileName).sort(), ['picture.jpg', 'picture.png', 'picture.webp']);
    assert.ok(uploads.every(({ bytes }) => bytes === PNG.length));
  });

  test('a deleted image is declined, one that could not be read in time is retryable; no request is made', async (t) => {
    const { provider, controls, signal } = await runwayBench(t);
    const load = async () => {
      throw new Error('no such file: heron.png');
    };
    const deletedImage = imageRequest({ image: { ...PRIVATE_IMAGE, load } });
    assert.deepEqual(await provider.submit(deletedImage, signal), {
      outcome: 'declined',
      code: 'ERR_5003',
      cause: 'the image is no longer there',
      reason: 'image_gone',
    });
    assert.equal((await provider.submit(deletedImage, AbortSignal.abort())).outcome, 'retryable');
    const unavailable = async () => {
      throw new Problem('ERR_5002');
    };
    const unreadable = await provider.submit(imageRequest({ image: { ...PRIVATE_IMAGE, load: unavailable } }), signal);
    assert.equal(unreadable.outcome, 'retryable', 'our own storage will work again');
    assert.deepEqual(controls.calls(), []);
  });

  test('an invalid image fails its task, or is declined at the submit', async (t) => {
    const { provider, ended, signal, controls } = await runwayBench(t);
    const text = imageRequest({ image: { ...PRIVATE_IMAGE, load: async () => new Uint8Array(600) } });
    const status = await provider.status(text, await ended(text), signal);
    assert.ok(status.state === 'failed' && status.cause.includes('ASSET.INVALID'));
    const tiny = imageRequest({ image: { ...PRIVATE_IMAGE, load: async () => PNG.slice(0, 100) } });
    const answer = await provider.submit(tiny, signal);
    assert.equal(answer.outcome === 'declined' && answer.code, 'ERR_5003');
    assert.equal((await controls.jobs()).length, 1);
  });

  test('without a connection nothing was sent, so the job is retryable', async (t) => {
    const { withOptions, signal, world } = await runwayBench(t);
    const closedServer = await serveSimulator(world.runway.app);
    await closedServer.close();
    const closed = await withOptions({ baseUrl: closedServer.url, fetch }).submit(runwayRequest(), signal);
    assert.deepEqual(closed, { outcome: 'retryable', cause: 'no connection (ECONNREFUSED)' });
    const nowhere = await withOptions({ baseUrl: 'https://runway.invalid' }).submit(runwayRequest(), signal);
    assert.deepEqual(nowhere, { outcome: 'retryable', cause: 'no connection (ENOTFOUND)' });
    for (const [code, message] of [
      ['UND_ERR_CONNECT_TIMEOUT', 'Connect Timeout Error'],
      ['CERT_HAS_EXPIRED', 'expired'],
    ]) {
      const untrusted: typeof fetch = async () => {
        throw new TypeError('fetch failed', { cause: Object.assign(new Error(message), { code }) });
      };
      assert.equal(
        (await withOptions({ fetch: untrusted }).submit(runwayRequest(), signal)).outcome,
        'retryable',
        code,
      );
    }
  });

  test('a connection error that may have come after sending leaves the outcome unknown', async (t) => {
    const { withOptions, signal } = await runwayBench(t);
    for (const code of ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT', undefined]) {
      let calls = 0;
      const broken: typeof fetch = async () => {
        calls += 1;
        throw new TypeError('fetch failed', { cause: Object.assign(new Error('timed out'), { code }) });
      };
      assert.equal((await withOptions({ fetch: broken }).submit(runwayRequest(), signal)).outcome, 'unknown', code);
      assert.equal(calls, 1);
    }
  });

  test('the key is sent to Runway alone: neither to the storage of uploads, nor to a redirect’s target', async (t) => {
    const bench = await runwayBench(t);
    const requests: [string, string | null][] = [];
    const recordingFetch: typeof fetch = (input, init) => {
      requests.push([new URL(String(input)).host, new Headers(init?.headers).get('authorization')]);
      assert.equal(init?.redirect, 'manual');
      return bench.fetch(input, init);
    };
    const answer = await bench.withOptions({ fetch: recordingFetch }).submit(imageRequest(), bench.signal);
    assert.equal(answer.outcome, 'accepted');
    const key = `Bearer ${bench.world.runway.credentials.apiKey}`;
    assert.deepEqual(requests, [
      ['api.dev.runwayml.com', key],
      ['uploads.runway.example', null],
      ['api.dev.runwayml.com', key],
    ]);
  });

  test('a base URL may end in a slash or have a path', async (t) => {
    const { withOptions, signal, fetch: inside } = await runwayBench(t);
    const urls: string[] = [];
    const recordingFetch: typeof fetch = (input, init) => {
      urls.push(String(input));
      return inside(input, init);
    };
    await withOptions({ baseUrl: 'https://api.dev.runwayml.com/', fetch: recordingFetch }).submit(
      runwayRequest(),
      signal,
    );
    await withOptions({ baseUrl: 'https://proxy.example/runway/', fetch: recordingFetch }).submit(
      runwayRequest(),
      signal,
    );
    assert.deepEqual(urls, [
      'https://api.dev.runwayml.com/v1/text_to_video',
      'https://proxy.example/runway/v1/text_to_video',
    ]);
  });

  test('a task is polled no more often than every 5 seconds, as Runway requires', () => {
    const options = { apiKey: 'key_x', baseUrl: 'https://runway.invalid', fetch, clock: manualClock() };
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const provider = providerOf(runway, createRunwayAdapter({ ...options, log }));
    assert.ok(provider.pollIntervalMs >= 5_000);
    assert.equal(provider.verifyWebhook, undefined);
    assert.equal(provider.webhooksFrom, undefined);
  });

  test('the SDK is not loaded: only types and tests use it', () => {
    const { packages } = importGraph(['src/providers/runway/manifest.ts']);
    assert.deepEqual([...new Set(packages.map(({ name }) => name))], ['zod']);
  });

  for (const version of DENO_VERSIONS) {
    test(`the adapter runs under Deno ${version}`, async () => {
      const program = join(import.meta.dirname, 'runway-under-deno.ts');
      const local = ['--no-prompt', '--cached-only', '--node-modules-dir=manual', '--no-check'];
      const flags = ['run', ...local, '--allow-env', '--allow-read', program];
      const child = spawn(denoBinary(version), flags, { stdio: ['ignore', 'pipe', 'pipe'] });
      const ended = [text(child.stdout), text(child.stderr), once(child, 'close')] as const;
      const [stdout, stderr, [code]] = await Promise.all(ended);
      assert.equal(code, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), [
        { outcome: 'accepted', providerJobId: 'a-task' },
        { outcome: 'retryable', cause: 'no connection (refused)' },
        { state: 'processing', progress: 42 },
      ]);
    });
  }
});
