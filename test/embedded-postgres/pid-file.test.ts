import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readPidFile } from '../../src/embedded-postgres/pid-file.ts';

/** Makes a cluster whose PostgreSQL has created its pid file but not yet written to it. */
async function withHalfWritten(use: (cluster: string, path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rendio-pid-file-'));
  try {
    const cluster = join(folder, 'postgres');
    await mkdir(cluster);
    const path = join(cluster, 'postmaster.pid');
    await writeFile(path, '');
    await use(cluster, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('a pid file that is being written is not removed, even by a process whose clock is a day ahead', (t) =>
  withHalfWritten(async (cluster, path) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 24 * 3_600_000 });
    assert.equal(await readPidFile(cluster), undefined);
    assert.ok(existsSync(path), 'PostgreSQL is about to write it');
  }));

test('a pid file that a crash left empty long ago is removed', () =>
  withHalfWritten(async (cluster, path) => {
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(path, longAgo, longAgo);
    assert.equal(await readPidFile(cluster), undefined);
    assert.ok(!existsSync(path));
  }));
