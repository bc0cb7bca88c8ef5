/** The child process that checks images. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { after, describe, test } from 'node:test';
import { Problem } from '../../src/kernel/errors.ts';
import { sha256Hex } from '../../src/kernel/hash.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { createImageCheckPool } from '../../src/media/image-check-pool.ts';
import { makeImage } from '../support/upload-images.ts';
import { jpegSegment, jpegWith, webpChunk, webpWith } from './image-files.ts';

describe('an image checked in a child process', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rendio-images-'));
  const pool = createImageCheckPool({ maxParallel: 2, log: silentLog });
  after(async () => {
    await pool.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const check = (bytes: Uint8Array, by = pool) => {
    const path = join(folder, 'image');
    writeFileSync(path, bytes);
    return by.check(path);
  };
  const lossy = makeImage('webp', 300, 200);
  /** The WebP with the first part of its pixels, and sizes that say so. */
  const cut = (webp: Buffer, share: number) => {
    const length = Math.floor((webp.readUInt32LE(16) * share) / 2) * 2;
    return webpWith(webp.subarray(0, 12), webpChunk(webp.toString('latin1', 12, 16), webp.subarray(20, 20 + length)));
  };
  const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url));

  test('is returned with its size, type, bytes and hash', async () => {
    const expected = { contentType: 'image/webp', width: 300, height: 200 };
    const sha256 = await sha256Hex(new Uint8Array(lossy));
    assert.deepEqual(await check(lossy), { ...expected, bytes: lossy.length, sha256 });
  });

  test('is damaged if it is a WebP with a part of its pixels', async () => {
    assert.deepEqual(await check(cut(fixture('lossy.webp'), 0.95)), { fault: 'damaged' });
    assert.deepEqual(await check(cut(fixture('lossless.webp'), 0.8)), { fault: 'damaged' });
  });

  test('takes no time of the main thread, however many segments it has', async () => {
    const jpeg = makeImage('jpeg', 300, 200);
    const many = jpegWith(jpeg, Buffer.alloc(10_000_000, jpegSegment(0xfe)));
    const before = performance.eventLoopUtilization();
    assert.equal(Reflect.get(await check(many), 'width'), 300);
    const { utilization } = performance.eventLoopUtilization(before);
    assert.ok(utilization < 0.3, `the event loop was busy for ${utilization} of the time`);
  });

  test('is not judged when the check takes too long or cannot run: the caller may retry', async () => {
    const isRetryable = (error: unknown) =>
      error instanceof Problem && error.code === 'ERR_6002' && error.retryAfterSeconds !== undefined;
    const hurried = createImageCheckPool({ maxParallel: 1, log: silentLog, timeoutMs: 1 });
    await assert.rejects(check(lossy, hurried), isRetryable);
    await hurried.close();
    await assert.rejects(check(lossy, hurried), isRetryable);
  });
});
