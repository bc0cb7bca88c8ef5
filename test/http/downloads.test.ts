/** How many files one reader is being sent at once, and that each counts until it is read, left or broken. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, it } from 'node:test';
import { serve } from '@hono/node-server';
import { createDownloads } from '../../src/http/downloads.ts';
import { openMedia } from '../../src/http/open-media.ts';
import { Problem } from '../../src/kernel/errors.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { until } from '../media/until.ts';

function downloadsOf(max: number) {
  const downloads = createDownloads(max);
  const open = (read: () => ReadableStream<Uint8Array> | null, signal = new AbortController().signal) =>
    openMedia({
      store: { info: async () => null, read: async () => read() },
      key: 'videos/x.mp4',
      request: new Request('http://x/', { signal }),
      log: silentLog,
      begin: () => downloads.begin('203.0.113.1'),
    });
  return { downloads, open };
}

const file = () => new Blob(['two pieces']).stream() as ReadableStream<Uint8Array>;
const isFull = (error: unknown) => error instanceof Problem && error.code === 'ERR_4004';

it('a reader’s downloads are bounded, and another’s are not counted with them', async () => {
  const { downloads, open } = downloadsOf(2);
  await open(file);
  await open(file);
  await assert.rejects(open(file), isFull);
  downloads.begin('203.0.113.2');
});

it('a download ends once it is read, cancelled, abandoned or broken, or when there is no file', async () => {
  const { open } = downloadsOf(1);
  await new Response(await open(file)).arrayBuffer();
  await (await open(file)).cancel();
  const left = new AbortController();
  await open(file, left.signal);
  left.abort();
  let pulls = 0;
  const broken = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulls += 1;
      if (pulls === 1) controller.enqueue(new Uint8Array(1));
      else controller.error(new Error('the disk'));
    },
  });
  await assert.rejects(new Response(await open(() => broken)).arrayBuffer());
  await assert.rejects(
    open(() => null),
    { code: 'ERR_4007' },
  );
  await assert.rejects(
    open(() => {
      throw new Error('the store');
    }),
    { code: 'ERR_6002' },
  );
  await open(file);
  await assert.rejects(open(file), isFull);
});

it('over a real connection a download ends when its reader hangs up', async () => {
  const downloads = createDownloads(1);
  let pieces = 0;
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        pieces += 1;
        controller.enqueue(new Uint8Array(64 * 1024));
      },
    });
  const server = serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const options = { key: 'videos/x.mp4', request, log: silentLog, begin: () => downloads.begin('203.0.113.1') };
      const store = { info: async () => null, read: async () => endless() };
      return openMedia({ ...options, store }).then(
        (body) => new Response(body),
        () => new Response(null, { status: 429 }),
      );
    },
  });
  after(() => server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  for (let reader = 0; reader < 3; reader += 1) {
    const leaving = new AbortController();
    const response = await fetch(url, { signal: leaving.signal });
    assert.equal(response.status, 200);
    assert.equal((await fetch(url)).status, 429);
    leaving.abort();
    await until(async () => {
      const probe = new AbortController();
      const { status } = await fetch(url, { signal: probe.signal });
      probe.abort();
      return status === 200;
    });
    await until(() => {
      try {
        downloads.begin('203.0.113.1')();
        return true;
      } catch {
        return false;
      }
    });
  }
  assert.ok(pieces < 10_000, 'nothing was read on after the readers had left');
});
