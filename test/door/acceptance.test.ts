/** The whole black-box suite against the Deno door, with a Node worker on the same database and folder. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createTestDatabase } from '../support/postgres.ts';
import { startTestWorker } from '../support/server.ts';
import { startDenoDoor } from './support/deno.ts';

const FILES_AT_ONCE = 4;
/** Today's suite has two hundred; far fewer would mean that it did not run. */
const TESTS_MIN = 150;

test('the Deno door passes every acceptance test, by its URL alone', async (t) => {
  await using database = await createTestDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-deno-'));
  t.after(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  const env = { DATABASE_URL: database.url, DATA_DIR: dataDir };
  await using door = await startDenoDoor({ version: 'newest', env });
  await using _worker = await startTestWorker({ env: { ...env, LOG_LEVEL: 'info' } });
  const { code, said } = await runSuite(door.url);
  const failed = [...said.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(([, name]) => name);
  assert.deepEqual(failed, [], said.slice(-8_000));
  assert.equal(code, 0, said.slice(-8_000));
  assert.ok(Number(/^# pass (\d+)$/m.exec(said)?.[1]) >= TESTS_MIN, said.slice(-500));
});

/** In processes of its own, as a runner inside of a runner would not run. */
async function runSuite(url: string): Promise<{ code: number | null; said: string }> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const files = globSync('test/acceptance/**/*.test.ts', { cwd: join(import.meta.dirname, '..', '..') });
  const flags = ['--test', `--test-concurrency=${FILES_AT_ONCE}`, '--test-reporter=tap'];
  const runner = spawn(process.execPath, [...flags, ...files], {
    cwd: join(import.meta.dirname, '..', '..'),
    env: { ...env, ACCEPTANCE_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const orphan = () => runner.kill('SIGKILL');
  process.once('exit', orphan);
  let said = '';
  for (const stream of [runner.stdout, runner.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  const code = await new Promise<number | null>((resolve) => runner.once('close', resolve));
  process.off('exit', orphan);
  return { code, said };
}
