/** How fal gets an image: from our signed URL where fal can fetch it, else through fal's own storage. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Problem } from '../../src/kernel/errors.ts';
import type { GenerationRequest, SourceImage } from '../../src/providers/provider.ts';
import { falBench, IMAGE, IMAGE_URL, requestFor, TRANSPORTS } from './fal-bench.ts';

const BYTES = Uint8Array.from({ length: 3000 }, (_, index) => index % 251);
const ENDPOINT = 'fal-ai/veo3.1/image-to-video';

function animate(changed: Partial<SourceImage> = {}): GenerationRequest {
  const image: SourceImage = { ...IMAGE, url: null, load: async () => BYTES, ...changed };
  return requestFor({ providerModelId: ENDPOINT, image });
}

suite('an image for fal', () => {
  for (const transport of TRANSPORTS) {
    test(`is uploaded to fal’s own storage before the job is submitted (${transport})`, async (t) => {
      const { accepted, controls, fetch, world } = await falBench(t, transport);
      await accepted(animate());
      assert.deepEqual(
        controls.calls().map(({ operation }) => operation),
        ['upload', 'upload', 'submit'],
      );
      const [job] = await controls.jobs();
      const url = String(job?.input.image_url);
      assert.equal(job?.outcome, 'video', 'the model accepts it');
      const stored = await fetch(url);
      assert.equal(stored.headers.get('content-type'), 'image/png');
      assert.deepEqual(new Uint8Array(await stored.arrayBuffer()), BYTES);
      assert.ok(
        !url.includes(world.fal.credentials.apiKey) && !url.includes('heron'),
        'its URL contains neither our key nor the file’s name',
      );
    });
  }

  test('is not uploaded where fal can fetch it, nor for a model without image input', async (t) => {
    const { accepted, controls } = await falBench(t);
    await accepted(animate({ url: IMAGE_URL, load: () => assert.fail('the image must not be read') }));
    await accepted(
      requestFor({ image: { ...IMAGE, url: null, load: () => assert.fail('the image must not be read') } }),
    );
    assert.deepEqual(
      controls.calls().map(({ input }) => input?.image_url),
      [IMAGE_URL, undefined],
    );
    assert.deepEqual(new Set(controls.calls().map(({ operation }) => operation)), new Set(['submit']));
  });

  test('an upload is retried after an error; where it keeps failing, the job is retryable and was not submitted', async (t) => {
    const { provider, controls, signal, accepted, waits } = await falBench(t);
    controls.plan({ on: 'upload', times: 2, reply: { status: 503, text: '' } });
    await accepted(animate());
    assert.deepEqual(waits.splice(0), [2000, 4000]);
    for (const reply of [
      'cut',
      { status: 500, text: 'x' },
      { status: 400, text: '{}' },
      { status: 200, text: '{}' },
    ] as const) {
      controls.plan({ on: 'upload', times: 4, reply });
      const submits = controls.calls().filter(({ operation }) => operation === 'submit').length;
      const answer = await provider.submit(animate(), signal);
      assert.equal(answer.outcome, 'retryable', JSON.stringify(reply));
      assert.equal(controls.calls().filter(({ operation }) => operation === 'submit').length, submits);
      controls.clearFaults();
    }
  });

  test('a deleted image declines the job; one that cannot be read during an outage leaves it retryable', async (t) => {
    const { provider, controls, signal } = await falBench(t);
    const deleted = await provider.submit(animate({ load: () => Promise.reject(new Error('deleted')) }), signal);
    assert.ok(deleted.outcome === 'declined');
    assert.deepEqual([deleted.code, deleted.reason], ['ERR_5003', 'image_gone']);
    const outage = () => Promise.reject(new Problem('ERR_6002'));
    const unread = await provider.submit(animate({ load: outage }), signal);
    assert.deepEqual(
      [unread.outcome, 'isBusy' in unread && unread.isBusy],
      ['retryable', true],
      'not counted as a failure of fal',
    );
    const late = await provider.submit(animate(), AbortSignal.abort());
    assert.equal(late.outcome, 'retryable');
    assert.deepEqual(controls.calls(), []);
  });

  test('a key that fal rejects for an upload is logged as an error, and the key is sent to no other host', async (t) => {
    const { withOptions, signal, log, fetch, accepted } = await falBench(t);
    const answer = await withOptions({ apiKey: 'unknown:key' }).submit(animate(), signal);
    assert.deepEqual([answer.outcome, 'code' in answer && answer.code], ['declined', 'ERR_5002']);
    assert.ok(log.lines.some(({ level, message }) => level === 'error' && /refuses our key/.test(message)));
    await accepted(animate());
    const seen: [string, boolean][] = [];
    const recordingFetch: typeof fetch = (input, init) => {
      seen.push([new URL(String(input)).host, new Headers(init?.headers).has('authorization')]);
      return fetch(input, init);
    };
    assert.equal((await withOptions({ fetch: recordingFetch }).submit(animate(), signal)).outcome, 'accepted');
    assert.deepEqual(seen, [
      ['rest.fal.ai', true],
      ['v3.fal.media', false],
      ['queue.fal.run', true],
    ]);
  });

  test('an image is not sent to an upload URL that is neither https nor on the configured host', async (t) => {
    const { withOptions, controls, signal, fetch } = await falBench(t);
    const urls: string[] = [];
    const recordingFetch: typeof fetch = (input, init) => {
      urls.push(String(input));
      return fetch(input, init);
    };
    const provider = withOptions({ fetch: recordingFetch });
    const text = JSON.stringify({ upload_url: 'http://169.254.169.254/put', file_url: 'https://v3.fal.media/x' });
    controls.plan({ on: 'upload', reply: { status: 200, text } });
    assert.equal((await provider.submit(animate(), signal)).outcome, 'retryable');
    assert.deepEqual(
      urls.map((url) => new URL(url).host),
      ['rest.fal.ai'],
    );
  });

  test('a job whose image fal cannot load has failed because of its image', async (t) => {
    const { provider, signal, ended } = await falBench(t);
    const request = animate({ url: '/storage/v1/object/user_uploads/x.png' });
    const status = await provider.status(request, await ended(request), signal);
    assert.ok(status.state === 'failed');
    assert.deepEqual([status.code, status.reason], ['ERR_5003', 'image_unreadable']);
    assert.match(status.cause, /image_load_error/);
  });
});
