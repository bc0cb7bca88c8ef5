/** How many files one reader is being sent at once, and that each counts until it is read, left or broken. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createDownloads } from '../../src/http/downloads.ts';
import { openMedia } from '../../src/http/open-media.ts';
import { Problem } from '../../src/kernel/errors.ts';
import { silentLog } from '../../src/kernel/log.ts';

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
