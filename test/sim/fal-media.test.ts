/** fal's simulated media host, inside the process and over a port: good videos, and every kind of bad one. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { suite, test } from 'node:test';
import type { Outcome } from '../../sim/fal/outcome.ts';
import { falBench, isMp4, requestFor, TRANSPORTS, type Transport } from '../providers/fal-bench.ts';

/** The URL of a file whose job ended with this outcome. */
async function fileOf(t: TestContext, door: Transport, outcome: Outcome, aspect_ratio = '16:9') {
  const bench = await falBench(t, door);
  bench.controls.planOutcomes(outcome);
  const request = requestFor({ settings: { duration: 4, aspect_ratio } });
  const status = await bench.provider.status(request, await bench.ended(request), bench.signal);
  assert.ok(status.state === 'completed' && status.video.from === 'url');
  return { ...bench, url: status.video.url };
}

for (const door of TRANSPORTS) {
  suite(`fal’s files ${door}`, { concurrency: 4 }, () => {
    test('a video is served whole, in ranges, or with 304 for its ETag', async (t) => {
      const { url, fetch } = await fileOf(t, door, 'video');
      const whole = await fetch(url);
      const bytes = Buffer.from(await whole.arrayBuffer());
      const etag = whole.headers.get('etag') ?? '';
      assert.ok(isMp4(bytes.buffer as ArrayBuffer) || bytes.subarray(4, 8).toString() === 'ftyp');
      assert.equal(whole.headers.get('content-type'), 'video/mp4');
      assert.equal(whole.headers.get('content-length'), String(bytes.length));
      const parts: [string, number, number, number][] = [
        ['bytes=0-99', 206, 0, 100],
        ['bytes=100-', 206, 100, bytes.length],
        ['bytes=-50', 206, bytes.length - 50, bytes.length],
        [`bytes=10-${bytes.length * 2}`, 206, 10, bytes.length],
        ['bytes=nonsense', 200, 0, bytes.length],
      ];
      for (const [range, status, from, to] of parts) {
        const part = await fetch(url, { headers: { range } });
        assert.equal(part.status, status, range);
        assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(from, to), range);
        if (status === 206) assert.equal(part.headers.get('content-range'), `bytes ${from}-${to - 1}/${bytes.length}`);
      }
      assert.equal((await fetch(url, { headers: { range: `bytes=${bytes.length}-` } })).status, 416);
      assert.equal((await fetch(url, { headers: { range: 'bytes=0-9', 'if-range': '"other"' } })).status, 200);
      assert.equal((await fetch(url, { headers: { range: 'bytes=0-9', 'if-range': etag } })).status, 206);
      assert.equal((await fetch(url, { headers: { 'if-none-match': etag } })).status, 304);
      const head = await fetch(url, { method: 'HEAD' });
      assert.deepEqual(
        [head.status, head.headers.get('content-length'), await head.text()],
        [200, String(bytes.length), ''],
      );
    });

    test('videos of different aspect ratios are different files', async (t) => {
      const sizes = new Set<string | null>();
      for (const ratio of ['16:9', '9:16']) {
        const { url, fetch } = await fileOf(t, door, 'video', ratio);
        sizes.add((await fetch(url, { method: 'HEAD' })).headers.get('etag'));
      }
      assert.equal(sizes.size, 2);
    });

    test('video_html serves a page instead of the file', async (t) => {
      const { url, fetch } = await fileOf(t, door, 'video_html');
      const response = await fetch(url);
      assert.equal(response.status, 200);
      assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
      assert.match(await response.text(), /^<!doctype html>/);
    });

    test('video_truncated serves half a file with the length of that half', async (t) => {
      const { url, fetch } = await fileOf(t, door, 'video_truncated');
      const response = await fetch(url);
      const bytes = Buffer.from(await response.arrayBuffer());
      assert.equal(response.headers.get('content-length'), String(bytes.length));
      assert.equal(bytes.subarray(4, 8).toString(), 'ftyp');
      const whole = await fetch(url.replace('video_truncated', 'video'));
      assert.equal(bytes.length, Number(whole.headers.get('content-length')) >> 1);
      await whole.body?.cancel();
    });

    test('video_cut cuts the connection in the middle of the file', async (t) => {
      const { url, fetch } = await fileOf(t, door, 'video_cut');
      const response = await fetch(url);
      assert.equal(response.status, 200);
      await assert.rejects(response.arrayBuffer());
    });

    test('video_endless serves a file without an end', async (t) => {
      const { url, fetch } = await fileOf(t, door, 'video_endless');
      const response = await fetch(url);
      assert.equal(response.headers.get('content-length'), null);
      let bytes = 0;
      for await (const chunk of response.body ?? []) {
        bytes += chunk.byteLength;
        if (bytes > 8_000_000) break;
      }
      assert.ok(bytes > 8_000_000);
    });

    test('video_slow stalls in the middle of the file', async (t) => {
      const { url, fetch } = await fileOf(t, door, 'video_slow');
      const response = await fetch(url, { signal: AbortSignal.timeout(300) });
      let bytes = 0;
      await assert.rejects(async () => {
        for await (const chunk of response.body ?? []) bytes += chunk.byteLength;
      });
      assert.equal(bytes, Number(response.headers.get('content-length')) >> 1);
    });

    test('a file is missing, redirects, or is on an internal IP address', async (t) => {
      const missing = await fileOf(t, door, 'video_missing');
      assert.equal((await missing.fetch(missing.url)).status, 404);
      const moved = await fileOf(t, door, 'video_redirect');
      const response = await moved.fetch(moved.url, { redirect: 'manual' });
      assert.equal(response.status, 302);
      assert.match(response.headers.get('location') ?? '', /^https:\/\/169\.254\.169\.254\//);
      const internal = await fileOf(t, door, 'video_internal');
      assert.equal(new URL(internal.url).hostname, '169.254.169.254');
    });
  });
}
