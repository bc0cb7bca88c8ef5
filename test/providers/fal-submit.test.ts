/** What the adapter sends to fal, and what it declines without a request. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { serveSimulator } from '../../sim/serve.ts';
import { knownEndpoints } from '../../src/providers/fal/models.ts';
import type { GenerationRequest } from '../../src/providers/provider.ts';
import { falBench, IMAGE, IMAGE_URL, PROMPT, requestFor } from './fal-bench.ts';

const WEBHOOK =
  'https://api.example.com/functions/v1/webhook-delivery?provider=fal&job=11111111-2222-4333-8444-555555555555';

/** Settings that no endpoint has; a catalogue may contain any settings. */
const foreign = { fps: 30, seed: 7, model: 'x', audio: false, negative_prompt: 'y', __proto__x: 1 };
const prompt = PROMPT;

const inputs: [string, Partial<GenerationRequest>, object][] = [
  [
    'fal-ai/veo3.1',
    { settings: { duration: 8, resolution: '1080p', aspect_ratio: '9:16', ...foreign, audio: true } },
    { prompt, duration: '8s', resolution: '1080p', aspect_ratio: '9:16', generate_audio: true },
  ],
  [
    'fal-ai/veo3.1/fast',
    { settings: { duration: 4, resolution: '720p', aspect_ratio: '16:9', ...foreign }, image: IMAGE },
    { prompt, duration: '4s', resolution: '720p', aspect_ratio: '16:9', generate_audio: false },
  ],
  [
    'fal-ai/veo3.1/image-to-video',
    { settings: { duration: 6, resolution: '720p', aspect_ratio: '16:9' }, image: IMAGE },
    { prompt, duration: '6s', resolution: '720p', aspect_ratio: '16:9', generate_audio: false, image_url: IMAGE_URL },
  ],
  [
    'fal-ai/kling-video/v2.5-turbo/pro/text-to-video',
    { settings: { duration: 10, resolution: '720p', aspect_ratio: '1:1', ...foreign } },
    { prompt, duration: '10', aspect_ratio: '1:1' },
  ],
  [
    'fal-ai/pika/v2.2/text-to-video',
    { settings: { duration: 5, resolution: '1080p', aspect_ratio: '4:5', ...foreign } },
    { prompt, duration: '5', resolution: '1080p', aspect_ratio: '4:5' },
  ],
  ['fal-ai/sora-2/text-to-video', { settings: { duration: 8, ...foreign } }, { prompt, duration: '8' }],
];

suite('a submit to fal', { concurrency: 4 }, () => {
  for (const [providerModelId, changed, expected] of inputs) {
    test(`${providerModelId} gets its own fields in its own notation, and nothing else`, async (t) => {
      const { provider, controls, signal } = await falBench(t);
      const answer = await provider.submit(requestFor({ providerModelId, ...changed }), signal);
      const [call] = controls.calls();
      assert.deepEqual(call?.input, expected);
      assert.equal(call?.path, `/${providerModelId}`);
      // Retired by its vendor; the simulator does not have it.
      assert.equal(answer.outcome, providerModelId.includes('sora') ? 'declined' : 'accepted');
      const problems = (await controls.jobs()).filter(({ outcome }) => outcome !== 'video');
      assert.deepEqual(problems, [], 'the model behind the queue accepts the input');
    });
  }

  test('every known endpoint is in the table above', () => {
    assert.deepEqual([...knownEndpoints].sort(), inputs.map(([endpoint]) => endpoint).sort());
  });

  test('fal gets our whole webhook URL, and none where there is none', async (t) => {
    const { accepted, controls } = await falBench(t);
    await accepted(requestFor({ webhookUrl: WEBHOOK }));
    await accepted(requestFor());
    assert.deepEqual((await controls.jobs()).map(({ webhookUrl }) => webhookUrl).sort(), [WEBHOOK, null]);
  });

  test('an unknown endpoint, or an image endpoint without its image, is declined without a request', async (t) => {
    const { provider, controls, signal, log } = await falBench(t);
    for (const providerModelId of [
      'fal-ai/veo9',
      '',
      '__proto__',
      '../fal-ai/veo3.1',
      'fal-ai/veo3.1/image-to-video',
    ]) {
      const answer = await provider.submit(requestFor({ providerModelId }), signal);
      assert.equal(answer.outcome === 'declined' && answer.code, 'ERR_5003', providerModelId);
      assert.deepEqual(
        log.lines.splice(0).map(({ level }) => level),
        ['error'],
      );
    }
    assert.deepEqual(controls.calls(), []);
  });

  test('without a connection nothing was sent, so the job is retryable', async (t) => {
    const { withOptions, signal, world } = await falBench(t);
    const closedServer = await serveSimulator(world.fal.app);
    await closedServer.close();
    const closed = await withOptions({ queueUrl: closedServer.url, fetch }).submit(requestFor(), signal);
    assert.deepEqual(closed, { outcome: 'retryable', cause: 'no connection (ECONNREFUSED)' });
    const nowhere = await withOptions({ queueUrl: 'https://queue.invalid' }).submit(requestFor(), signal);
    assert.deepEqual(nowhere, { outcome: 'retryable', cause: 'no connection (ENOTFOUND)' });
    const untrusted: typeof fetch = async () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('expired'), { code: 'CERT_HAS_EXPIRED' }) });
    };
    assert.equal((await withOptions({ fetch: untrusted }).submit(requestFor(), signal)).outcome, 'retryable');
  });

  test('a connection error that may have come after sending leaves the outcome unknown', async (t) => {
    const { withOptions, signal } = await falBench(t);
    for (const code of ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT', undefined]) {
      const broken: typeof fetch = async () => {
        throw new TypeError('fetch failed', { cause: Object.assign(new Error('broken'), { code }) });
      };
      assert.equal((await withOptions({ fetch: broken }).submit(requestFor(), signal)).outcome, 'unknown', code);
    }
  });

  test('an endless answer is read up to some megabytes', async (t) => {
    const { withOptions, signal } = await falBench(t);
    let pulled = 0;
    const endless: typeof fetch = async () => {
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          pulled += 64 * 1024;
          if (pulled > 64 * 1024 * 1024) controller.close();
          else controller.enqueue(new Uint8Array(64 * 1024).fill(0x20));
        },
      });
      return new Response(body, { status: 200 });
    };
    assert.equal((await withOptions({ fetch: endless }).submit(requestFor(), signal)).outcome, 'unknown');
    assert.ok(pulled < 6 * 1024 * 1024, String(pulled));
  });

  test('user input is removed from the vendor’s messages, whether whole, in JSON or only its beginning', async (t) => {
    const { provider, controls, signal, world } = await falBench(t);
    const { apiKey } = world.fal.credentials;
    const request = requestFor({ image: IMAGE, webhookUrl: WEBHOOK });
    const quotes = [
      PROMPT,
      JSON.stringify(PROMPT),
      PROMPT.slice(0, 30),
      IMAGE_URL,
      WEBHOOK,
      apiKey,
      `${PROMPT}${PROMPT}`,
    ];
    for (const quote of quotes) {
      const msg = `Cannot make ${quote} today`;
      for (const detail of [msg, [{ loc: ['body'], type: 'value_error', msg }]]) {
        controls.plan({ on: 'submit', reply: { status: 422, text: JSON.stringify({ detail }) } });
        const answer = await provider.submit(request, signal);
        const cause = 'cause' in answer ? answer.cause : '';
        assert.match(cause, /Cannot make "?…+"? today/);
        for (const secret of ['heron', 'glass', 'lake', 'a-secret-of-ours', '11111111-2222', apiKey]) {
          assert.ok(!cause.includes(secret), cause);
        }
      }
    }
  });

  test('Pika uses the same adapter with its own name and key', async (t) => {
    const { withOptions, controls, signal } = await falBench(t);
    controls.addApiKey('pika:key');
    const pika = withOptions({ name: 'pika', apiKey: 'pika:key' });
    assert.equal(pika.name, 'pika');
    const request = requestFor({ providerModelId: 'fal-ai/pika/v2.2/text-to-video', settings: { duration: 5 } });
    const answer = await pika.submit(request, signal);
    assert.ok(answer.outcome === 'accepted');
    assert.equal((await controls.jobs())[0]?.owner, 'pika:key');
    assert.equal((await pika.status(request, answer.providerJobId, signal)).state, 'queued');
  });

  test('a base URL may end in a slash or have a path', async (t) => {
    const { withOptions, signal, fetch: inside } = await falBench(t);
    const urls: string[] = [];
    const recordingFetch: typeof fetch = (input, init) => {
      urls.push(String(input));
      return inside(input, init);
    };
    await withOptions({ queueUrl: 'https://queue.fal.run/', fetch: recordingFetch }).submit(requestFor(), signal);
    await withOptions({ queueUrl: 'https://proxy.example/fal/', fetch: recordingFetch }).submit(requestFor(), signal);
    assert.deepEqual(urls, ['https://queue.fal.run/fal-ai/veo3.1', 'https://proxy.example/fal/fal-ai/veo3.1']);
  });
});
