/** What reaches Runway of a generation, and what does not reach Runway at all. */
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
import { IMAGE_URL, PICTURE, PROMPT, turnableClock } from './fal-bench.ts';
import { HIDDEN_PICTURE, PNG, pictureRequest, runwayBench, runwayRequest } from './runway-bench.ts';

/** Settings that no model was offered with; a catalogue may hold what it likes. */
const foreign = { fps: 30, seed: 7, model: 'x', audio: true, negative_prompt: 'y', outputFormat: 'prores' };
const promptText = PROMPT;

const inputs: [string, Partial<GenerationRequest>, string, object][] = [
  [
    'gen4.5',
    { settings: { duration: 10, resolution: '1080p', aspect_ratio: '9:16', ...foreign }, image: PICTURE },
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
    { settings: { duration: 5, aspect_ratio: '9:16', ...foreign }, image: PICTURE },
    'image_to_video',
    { model: 'gen4_turbo', promptText, duration: 5, ratio: '720:1280', promptImage: IMAGE_URL },
  ],
  ...Object.entries({ '4:3': '1104:832', '3:4': '832:1104', '1:1': '960:960', '21:9': '1584:672' }).map(
    ([aspect_ratio, ratio]): (typeof inputs)[number] => [
      'gen4_turbo',
      { settings: { duration: 5, aspect_ratio }, image: PICTURE },
      'image_to_video',
      { model: 'gen4_turbo', promptText, duration: 5, ratio, promptImage: IMAGE_URL },
    ],
  ),
];

suite('what Runway is asked', { concurrency: 4 }, () => {
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

  test('every model that can be asked is in the table above', () => {
    assert.deepEqual([...knownModels].sort(), [...new Set(inputs.map(([model]) => model))].sort());
  });

  test('a model that nobody knows, one without its picture, and a shape that it has not, are rejected unasked', async (t) => {
    const { provider, controls, signal, log } = await runwayBench(t);
    const odd: Partial<GenerationRequest>[] = [
      { providerModelId: 'gen9' },
      { providerModelId: '' },
      { providerModelId: '__proto__' },
      { providerModelId: 'gen4_turbo' },
      { settings: { duration: 5, aspect_ratio: '1:1' } },
      { settings: { duration: 5, aspect_ratio: '__proto__' } },
    ];
    for (const changed of odd) {
      const answer = await provider.submit(runwayRequest(changed), signal);
      assert.equal(answer.outcome === 'declined' && answer.code, 'ERR_5003', JSON.stringify(changed));
      assert.deepEqual(
        log.lines.splice(0).map(({ level }) => level),
        ['error'],
      );
    }
    assert.deepEqual(controls.calls(), []);
  });

  test('an address that Runway would not take is not sent: the picture is uploaded instead', async (t) => {
    const { provider, controls, signal } = await runwayBench(t);
    for (const url of ['http://127.0.0.1:8000/heron.png', `https://media.example/${'x'.repeat(2048)}`, null]) {
      const answer = await provider.submit(pictureRequest({ image: { ...HIDDEN_PICTURE, url } }), signal);
      assert.equal(answer.outcome, 'accepted');
      assert.match(String(controls.calls().at(-1)?.input?.promptImage), /^runway:\/\//);
    }
    assert.equal((await controls.uploads()).length, 3);
  });

  test('each kind of picture is uploaded under a name of its kind, whole', async (t) => {
    const { provider, controls, signal } = await runwayBench(t);
    for (const contentType of ['image/png', 'image/jpeg', 'image/webp'] as const) {
      await provider.submit(pictureRequest({ image: { ...HIDDEN_PICTURE, contentType } }), signal);
    }
    const uploads = await controls.uploads();
    assert.deepEqual(uploads.map(({ fileName }) => fileName).sort(), ['picture.jpg', 'picture.png', 'picture.webp']);
    assert.ok(uploads.every(({ bytes }) => bytes === PNG.length));
  });

  test('a picture that is gone is rejected, one that could not be read in time is refused; nobody is asked', async (t) => {
    const { provider, controls, signal } = await runwayBench(t);
    const load = async () => {
      throw new Error('no such file: heron.png');
    };
    const gone = pictureRequest({ image: { ...HIDDEN_PICTURE, load } });
    assert.deepEqual(await provider.submit(gone, signal), {
      outcome: 'declined',
      code: 'ERR_5003',
      cause: 'the picture is no longer there',
    });
    assert.equal((await provider.submit(gone, AbortSignal.abort())).outcome, 'retryable');
    const away = async () => {
      throw new Problem('ERR_5002');
    };
    const unreadable = await provider.submit(pictureRequest({ image: { ...HIDDEN_PICTURE, load: away } }), signal);
    assert.equal(unreadable.outcome, 'retryable', 'our own storage comes back');
    assert.deepEqual(controls.calls(), []);
  });

  test('a picture that is none fails its task, or is not taken at all', async (t) => {
    const { provider, ended, signal, controls } = await runwayBench(t);
    const text = pictureRequest({ image: { ...HIDDEN_PICTURE, load: async () => new Uint8Array(600) } });
    const status = await provider.status(text, await ended(text), signal);
    assert.ok(status.state === 'failed' && status.cause.includes('ASSET.INVALID'));
    const tiny = pictureRequest({ image: { ...HIDDEN_PICTURE, load: async () => PNG.slice(0, 100) } });
    const answer = await provider.submit(tiny, signal);
    assert.equal(answer.outcome === 'declined' && answer.code, 'ERR_5003');
    assert.equal((await controls.jobs()).length, 1);
  });

  test('without a connection nothing was sent: the job is refused and may be sent again', async (t) => {
    const { withOptions, signal, world } = await runwayBench(t);
    const gone = await serveSimulator(world.runway.app);
    await gone.close();
    const closed = await withOptions({ baseUrl: gone.url, fetch }).submit(runwayRequest(), signal);
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

  test('a failure of the connection that may have come later is unknown', async (t) => {
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

  test('the key goes to Runway alone: not to the storage of pictures, nor where a redirect points', async (t) => {
    const bench = await runwayBench(t);
    const visits: [string, string | null][] = [];
    const watching: typeof fetch = (input, init) => {
      visits.push([new URL(String(input)).host, new Headers(init?.headers).get('authorization')]);
      assert.equal(init?.redirect, 'manual');
      return bench.fetch(input, init);
    };
    const answer = await bench.withOptions({ fetch: watching }).submit(pictureRequest(), bench.signal);
    assert.equal(answer.outcome, 'accepted');
    const key = `Bearer ${bench.world.runway.credentials.apiKey}`;
    assert.deepEqual(visits, [
      ['api.dev.runwayml.com', key],
      ['uploads.runway.example', null],
      ['api.dev.runwayml.com', key],
    ]);
  });

  test('a base address may end in a slash or have a path of its own', async (t) => {
    const { withOptions, signal, fetch: inside } = await runwayBench(t);
    const urls: string[] = [];
    const watching: typeof fetch = (input, init) => {
      urls.push(String(input));
      return inside(input, init);
    };
    await withOptions({ baseUrl: 'https://api.dev.runwayml.com/', fetch: watching }).submit(runwayRequest(), signal);
    await withOptions({ baseUrl: 'https://proxy.example/runway/', fetch: watching }).submit(runwayRequest(), signal);
    assert.deepEqual(urls, [
      'https://api.dev.runwayml.com/v1/text_to_video',
      'https://proxy.example/runway/v1/text_to_video',
    ]);
  });

  test('nobody is asked about one task more often than Runway wishes', () => {
    const options = { apiKey: 'key_x', baseUrl: 'https://runway.invalid', fetch, clock: turnableClock() };
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const provider = providerOf(runway, createRunwayAdapter({ ...options, log }));
    assert.ok(provider.pollIntervalMs >= 5_000);
    assert.equal(provider.verifyWebhook, undefined);
    assert.equal(provider.webhooksFrom, undefined);
  });

  test('the SDK is not loaded: it is there for types and tests alone', () => {
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
      const [said, complaints, [code]] = await Promise.all(ended);
      assert.equal(code, 0, complaints);
      assert.deepEqual(JSON.parse(said), [
        { outcome: 'accepted', providerJobId: 'a-task' },
        { outcome: 'retryable', cause: 'no connection (refused)' },
        { state: 'processing', progress: 42 },
      ]);
    });
  }
});
