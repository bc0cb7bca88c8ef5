/** Copies a file in small pieces and hashes it at the same time: this takes little memory and no second read. */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { openFile } from './open-file.ts';
import type { StoredMedia } from './store.ts';

const PIECE_BYTES = 256 * 1024;

/** `target` must not exist. When this resolves, its bytes have been flushed to the disk. */
export async function copyHashing(source: string, target: string, signal?: AbortSignal): Promise<StoredMedia> {
  await using from = await openFile(source, 'r');
  await using to = await openFile(target, 'wx', 0o600);
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  let bytes = 0;
  for (;;) {
    signal?.throwIfAborted();
    const { bytesRead } = await from.read(piece, 0, PIECE_BYTES, bytes);
    if (bytesRead === 0) break;
    const filled = piece.subarray(0, bytesRead);
    hash.update(filled);
    await to.writeFile(filled);
    bytes += bytesRead;
  }
  await to.sync();
  return { bytes, sha256: hash.digest('hex') };
}
