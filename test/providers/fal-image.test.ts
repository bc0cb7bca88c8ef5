/** How a picture gets to fal: at our address where fal can reach us, else through fal's own storage. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Problem } from '../../src/kernel/errors.ts';
import type { GenerationRequest, SourceImage } from '../../src/providers/provider.ts';
import { DOORS, falBench, IMAGE_URL, PICTURE, requestFor } from './fal-bench.ts';

const BYTES = Uint8Array.from({ length: 3000 }, (_, index) => index % 251);
const ENDPOINT = 'fal-ai/veo3.1/image-to-video';

function animate(changed: Partial<SourceImage> = {}): GenerationRequest {
  const image: SourceImage = { ...PICTURE, url: null, load: async () => BYTES, ...changed };
  return requestFor({ providerModelId: ENDPOINT, image });
}

suite('a picture for fal', () => {
  for (const door of DOORS) {
    test(`is uploaded to fal’s own storage before the job is submitted (${door})`, async (t) => {
      const { accepted, controls, fetch, world } = await falBench(t, door);
      await accepted(animate());
      assert.deepEqual(
        controls.calls().map(({ operation }) => operation),
        ['upload', 'upload', 'submit'],
      );
      const [job] = await controls.jobs();
      const url = String(job?.input.image_url);
      assert.equal(job?.outcome, 'video', 'the model takes it');
      const kept = await fetch(url);
      assert.equal(kept.headers.get('content-type'), 'image/png');
      assert.deepEqual(new Uint8Array(await kept.arrayBuffer()), BYTES);
      assert.ok(
        !url.includes(world.fal.credentials.apiKey) && !url.includes('heron'),
        'nothing of its owner is in its name',
      );
    });
  }

  test('is not uploaded where fal can fetch it, nor for a model that takes none', async (t) => {
    const { accepted, controls } = await falBench(t);
    await accepted(animate({ url: IMAGE_URL, load: () => assert.fail('nobody reads it') }));
    await accepted(requestFor({ image: { ...PICTURE, url: null, load: () => assert.fail('nobody reads it') } }));
    assert.deepEqual(
      controls.calls().map(({ input }) => input?.image_url),
      [IMAGE_URL, undefined],
    );
    assert.deepEqual(new Set(controls.calls().map(({ operation }) => operation)), new Set(['submit']));
  });

  test('an upload that stumbles is repeated; one that fails leaves the job to be sent again, and nothing is submitted', async (t) => {
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

  test('a picture that its owner has deleted ends the job; one that cannot be read just now does not', async (t) => {
    const { provider, controls, signal } = await falBench(t);
    const gone = await provider.submit(animate({ load: () => Promise.reject(new Error('gone')) }), signal);
    assert.deepEqual([gone.outcome, 'code' in gone && gone.code], ['declined', 'ERR_5003']);
    const outage = () => Promise.reject(new Problem('ERR_6002'));
    const unread = await provider.submit(animate({ load: outage }), signal);
    assert.deepEqual([unread.outcome, 'isBusy' in unread && unread.isBusy], ['retryable', true], 'nothing against fal');
    const late = await provider.submit(animate(), AbortSignal.abort());
    assert.equal(late.outcome, 'retryable');
    assert.deepEqual(controls.calls(), []);
  });

  test('a key that fal refuses for an upload is reported, and the key goes to no other address', async (t) => {
    const { withOptions, signal, log, fetch, accepted } = await falBench(t);
    const refused = await withOptions({ apiKey: 'unknown:key' }).submit(animate(), signal);
    assert.deepEqual([refused.outcome, 'code' in refused && refused.code], ['declined', 'ERR_5002']);
    assert.ok(log.lines.some(({ level, message }) => level === 'error' && /refuses our key/.test(message)));
    await accepted(animate());
    const seen: [string, boolean][] = [];
    const watching: typeof fetch = (input, init) => {
      seen.push([new URL(String(input)).host, new Headers(init?.headers).has('authorization')]);
      return fetch(input, init);
    };
    assert.equal((await withOptions({ fetch: watching }).submit(animate(), signal)).outcome, 'accepted');
    assert.deepEqual(seen, [
      ['rest.fal.ai', true],
      ['v3.fal.media', false],
      ['queue.fal.run', true],
    ]);
  });

  test('a picture goes nowhere that is neither https nor the host that was asked', async (t) => {
    const { withOptions, controls, signal, fetch } = await falBench(t);
    const asked: string[] = [];
    const watching: typeof fetch = (input, init) => {
      asked.push(String(input));
      return fetch(input, init);
    };
    const provider = withOptions({ fetch: watching });
    const text = JSON.stringify({ upload_url: 'http://169.254.169.254/put', file_url: 'https://v3.fal.media/x' });
    controls.plan({ on: 'upload', reply: { status: 200, text } });
    assert.equal((await provider.submit(animate(), signal)).outcome, 'retryable');
    assert.deepEqual(
      asked.map((url) => new URL(url).host),
      ['rest.fal.ai'],
    );
  });

  test('the simulator fails a job whose picture is at no address, as fal does', async (t) => {
    const { provider, signal, ended } = await falBench(t);
    const request = animate({ url: '/storage/v1/object/user_uploads/x.png' });
    const status = await provider.status(request, await ended(request), signal);
    assert.deepEqual([status.state, 'code' in status && status.code], ['failed', 'ERR_5003']);
    assert.match('cause' in status ? status.cause : '', /image_load_error/);
  });
});
