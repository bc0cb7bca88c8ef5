/** How much memory a long video takes on its way from a provider's host through this machine into a bucket. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startS3 } from '../test/support/s3.ts';
import type { Bench } from './report.ts';
import type { Stored } from './storage-child.ts';

const BYTES = 500_000_000;
const SHORT_BYTES = 1_000_000;
const ADDED_MAX_MB = 64;

export const storage: Bench = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rendio-bench-'));
  await using s3 = await startS3(['media']);
  const host = createServer(({ url }, reply) => {
    let left = url === '/short.mp4' ? SHORT_BYTES : BYTES;
    reply.writeHead(200, { 'Content-Length': left });
    const more = () => {
      while (left > 0) {
        const piece = Buffer.alloc(Math.min(left, 65_536), left % 251);
        left -= piece.length;
        if (!reply.write(piece)) return;
      }
      reply.end();
    };
    reply.on('drain', more);
    more();
  }).listen(0, '127.0.0.1');
  await once(host, 'listening');
  const { port } = host.address() as AddressInfo;
  // In a process of its own, to measure the store's client and not the store.
  const child = fork(fileURLToPath(new URL('storage-child.ts', import.meta.url)), [
    `127.0.0.1:${port}`,
    s3.endpoint,
    folder,
  ]);
  try {
    const [stored] = (await once(child, 'message')) as [Stored];
    if (stored.bytes !== BYTES) throw new Error(`${stored.bytes} of ${BYTES} bytes arrived`);
    return [
      { name: 'memory added by storing 500 MB', value: stored.addedMb, unit: 'MB', promise: ADDED_MAX_MB },
      { name: 'fetching it', value: stored.fetchSeconds, unit: 's' },
      { name: 'storing it in a bucket', value: stored.storeSeconds, unit: 's' },
    ];
  } finally {
    child.kill();
    host.close();
    await rm(folder, { recursive: true, force: true });
  }
};
