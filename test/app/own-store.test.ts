/** Processes that share a database keep its files in one store, or do not start. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, beforeEach, test } from 'node:test';
import type pg from 'pg';
import { type OwnStoreOptions, ownStore } from '../../src/app/own-store.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { createLease } from '../../src/db/lease.ts';
import { closePool, createPool } from '../../src/db/pool.ts';
import { Problem } from '../../src/kernel/errors.ts';
import { type Log, silentLog } from '../../src/kernel/log.ts';
import { StartupError } from '../../src/kernel/startup-error.ts';
import { createDiskStore } from '../../src/media/disk.ts';
import { StoreRefusal } from '../../src/media/storage-problem.ts';
import { type MediaStore, STORE_ID_KEY } from '../../src/media/store.ts';
import { beforeTeardown, createTestDatabase, ownerPool, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let pool: pg.Pool;
let owner: pg.Pool;
let db: Database;
let folder: string;
before(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, log: silentLog });
  owner = ownerPool(database.url, 1);
  db = createDatabase(pool);
  folder = await mkdtemp(join(tmpdir(), 'rendio-own-store-'));
});
beforeEach(() => owner.query('update settings set media_store_id = null'));
beforeTeardown(async () => {
  await closePool(pool);
  await owner.end();
  await database[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const newDisk = () => join(folder, randomUUID());

/** As a process has it that was started with this disk. */
function processOn(disk: string, options: Partial<OwnStoreOptions> = {}) {
  return ownStore({
    db,
    media: createDiskStore({ folder: disk }),
    lease: createLease({ url: database.url, name: 'media store', waitMs: 20_000, log: silentLog }),
    workDir: join(folder, 'work'),
    newUuid: randomUUID,
    where: { store: disk, variables: 'DATA_DIR' },
    isLenient: false,
    log: silentLog,
    ...options,
  });
}

const isRefused = (words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StartupError, String(error));
  assert.match(error.message, words);
  assert.match(error.message, /DATA_DIR/);
  return true;
};

test('the first process gives the store its id; every other one on that store starts', async () => {
  const disk = newDisk();
  const started = Array.from({ length: 6 }, () => processOn(disk).ensureOwn());
  await Promise.all(started);
  await processOn(disk).ensureOwn();
  const { rows } = await owner.query('select media_store_id as id from settings');
  assert.equal((await readFile(join(disk, STORE_ID_KEY), 'utf8')).trim(), rows[0].id);
});

test('a database that knows its store keeps to it', async () => {
  const [first, second] = [randomUUID(), randomUUID()];
  assert.equal(await db.call('adopt_media_store', { id: first }), first);
  assert.equal(await db.call('adopt_media_store', { id: second }), first);
});

test('a process with a disk of its own does not start, whether its disk is empty or another database’s', async () => {
  await processOn(newDisk()).ensureOwn();
  const other = newDisk();
  await assert.rejects(processOn(other).ensureOwn(), isRefused(/holds no id/));
  await assert.rejects(processOn(other).ensureOwn(), isRefused(/holds no id/), 'again: it was not given one');
  const file = join(folder, 'id');
  await writeFile(file, randomUUID());
  await createDiskStore({ folder: other }).putFile(STORE_ID_KEY, file);
  await assert.rejects(processOn(other).ensureOwn(), isRefused(/holds the id of another one/));
  await writeFile(file, 'no id at all');
  await createDiskStore({ folder: other }).putFile(STORE_ID_KEY, file);
  await assert.rejects(processOn(other).ensureOwn(), isRefused(/holds no id/));
});

test('of two processes that start at once on disks of their own, one starts', async () => {
  const outcomes = await Promise.allSettled([processOn(newDisk()).ensureOwn(), processOn(newDisk()).ensureOwn()]);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
});

test('in development another store is said and used', async () => {
  await processOn(newDisk()).ensureOwn();
  const said: string[] = [];
  const log: Log = { ...silentLog, warn: (_, message) => said.push(message) };
  const other = processOn(newDisk(), { isLenient: true, log });
  await other.ensureOwn();
  assert.match(said.join('\n'), /another media store.*DATA_DIR/);
  const file = join(folder, 'video');
  await writeFile(file, 'video');
  assert.equal((await other.media.putFile('videos/a.mp4', file)).bytes, 5);
});

test('files that moved, with their id or by the operator’s word, are the database’s own', async () => {
  const [old, moved, bare] = [newDisk(), newDisk(), newDisk()];
  await processOn(old).ensureOwn();
  await createDiskStore({ folder: moved }).putFile(STORE_ID_KEY, join(old, STORE_ID_KEY));
  await processOn(moved).ensureOwn();
  const refusal = await processOn(bare).ensureOwn().catch(String);
  await owner.query(/run: (update .*)$/.exec(String(refusal))?.[1] ?? 'no statement');
  await processOn(bare).ensureOwn();
});

test('a crash between the id in the store and the one in the database leaves the store usable', async () => {
  const disk = newDisk();
  const failing: Database = { ...db, call: () => Promise.reject(new Error('killed')) };
  await assert.rejects(processOn(disk, { db: failing }).ensureOwn(), /killed/);
  await processOn(disk).ensureOwn();
});

test('a store that cannot be reached at the start is written to only once it is known to be the right one', async () => {
  await processOn(newDisk()).ensureOwn();
  const disk = createDiskStore({ folder: newDisk() });
  let isDown = true;
  const down = new Problem('ERR_6002', { cause: new Error('the store did not answer in time') });
  const media: MediaStore = { ...disk, read: (...key) => (isDown ? Promise.reject(down) : disk.read(...key)) };
  const late = processOn('the bucket', { media });
  const file = join(folder, 'video');
  await writeFile(file, 'video');
  const isUnavailable = (error: unknown) => error instanceof Problem && error.code === 'ERR_6002';
  await assert.rejects(late.ensureOwn(), isUnavailable);
  await assert.rejects(late.media.putFile('videos/a.mp4', file), isUnavailable);
  isDown = false;
  await assert.rejects(late.media.putFile('videos/a.mp4', file), isUnavailable, 'it is another one');
  assert.equal(await disk.info('videos/a.mp4'), null);
  await owner.query('update settings set media_store_id = null');
  assert.equal((await late.media.putFile('videos/a.mp4', file)).bytes, 5);
});

test('a bucket that does not exist, or a key that is refused, is named at the start', async () => {
  for (const [status, code] of [
    [404, 'NoSuchBucket'],
    [403, 'InvalidAccessKeyId'],
    [301, 'PermanentRedirect'],
  ] as const) {
    const fault = new Problem('ERR_6002', { cause: new StoreRefusal(status, code) });
    const media: MediaStore = { ...createDiskStore({ folder: newDisk() }), putFile: () => Promise.reject(fault) };
    const where = { store: 'https://s3.example.com/media', variables: 'S3_ENDPOINT, S3_BUCKET and DATA_DIR' };
    await assert.rejects(
      processOn('', { media, where }).ensureOwn(),
      isRefused(new RegExp(`s3.example.com/media.*${code}`)),
    );
  }
  const busy = new Problem('ERR_6002', { cause: new StoreRefusal(503, 'SlowDown') });
  const media: MediaStore = { ...createDiskStore({ folder: newDisk() }), putFile: () => Promise.reject(busy) };
  await assert.rejects(processOn('', { media }).ensureOwn(), (error) => error === busy);
});
