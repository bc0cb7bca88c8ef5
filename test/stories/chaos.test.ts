/**
 * The server is killed again and again while it works, half of the time with its database. `CHAOS_KILLS` says how often
 * (20), `CHAOS_SEED` which of the stories it is; the last line says what became of it.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import { silentLog } from '../../src/kernel/log.ts';
import { createProbe } from '../../src/media/probe.ts';
import { compileCache } from '../../src/platform/compile-cache.ts';
import { until } from '../media/until.ts';
import { connectTo, postgresPid } from '../support/embedded.ts';
import { type Guest, onboardGuest } from '../support/guest.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { seeded } from './random.ts';

const KILLS = Number(process.env.CHAOS_KILLS ?? 20);
const SEED = Number(process.env.CHAOS_SEED ?? 20_261_123);
const GUESTS = Math.ceil(KILLS / 5);
/** A kill comes this long after its generation was asked for, at the latest: somewhere between the charge and the end. */
const KILL_WITHIN_MS = 2_500;
/** The smallest film there is: what is measured is recovery, not rendering. */
const CLIP = { duration: 1, resolution: '360p' };
/** The promise. */
const RECOVERY_MAX_MS = 60_000;

/** One wish of a guest, sent again under its key until it is answered, as an app does whose connection broke. */
type Wish = { guest: Guest; key: string; prompt: string; isToBeCancelled: boolean; jobId?: string };

type Row = { job_id: string; status: string; error_code: string | null; created_at: Date; completed_at: Date | null };

it(`killed ${KILLS} times at random moments, with its database in half of them, it loses neither a credit nor a video`, async (t) => {
  const random = seeded(SEED);
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-chaos-'));
  let server = await startTestServer({ env: { DATA_DIR: dataDir, LOG_LEVEL: 'silent' } });
  const env = { DATA_DIR: dataDir, LOG_LEVEL: 'silent', PORT: new URL(server.url).port };
  try {
    const guests = await Promise.all(Array.from({ length: GUESTS }, () => onboardGuest(server.url)));
    const wishes: Wish[] = [];
    const kills: Date[] = [];
    while (kills.length < KILLS) {
      wishes.push(newWish(guests[wishes.length % GUESTS], random));
      const sending = wishes.map(send);
      await wait(random() * KILL_WITHIN_MS);
      await kill(server, kills.length % 2 === 1);
      kills.push(new Date());
      await Promise.all(sending);
      server = await startTestServer({ env });
    }
    await Promise.all(wishes.map(send));
    assert.ok(
      wishes.every(({ jobId }) => jobId),
      'every wish is answered in the end',
    );

    const database = await connectTo(dataDir);
    const ended = await waitForAll(database);
    assert.equal(ended.length, wishes.length, 'one job for each wish, however often it was sent');
    assert.deepEqual((await database.query('select * from broken_invariants()')).rows, []);
    await database.end();
    const completed = ended.filter(({ status }) => status === 'completed');
    const wanted = ended.every(({ error_code }) => [null, 'ERR_5003', 'ERR_5004'].includes(error_code));
    assert.ok(wanted, 'what failed was to fail, or was cancelled: the provider can be asked again');
    const balances = await Promise.all(guests.map((guest) => guest.balance()));
    const left = balances.reduce((sum, balance) => sum + balance, 0);
    assert.equal(left, GUESTS * 10 - completed.length, 'a credit for each video that there is');
    await assertPlayable(wishes, completed);
    assert.deepEqual(await filesOf(dataDir), expectedFiles(completed), 'no file without a completed job');
    t.diagnostic(
      `seed ${SEED}: ${KILLS} kills, ${Math.floor(KILLS / 2)} with PostgreSQL; ${completed.length} jobs completed, ` +
        `${ended.length - completed.length} failed with their credits back; slowest recovery ${slowest(ended, kills)} s`,
    );
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10 });
  }
});

function newWish(guest: Guest | undefined, random: () => number): Wish {
  assert.ok(guest);
  const fate = random();
  return {
    guest,
    key: randomUUID(),
    prompt: fate < 0.1 ? 'a cat that will not come [sandbox:fail]' : 'a cat playing piano',
    isToBeCancelled: fate > 0.85,
  };
}

/** Sends what is not answered yet; a server that dies in the middle is no answer. */
async function send(wish: Wish): Promise<void> {
  try {
    wish.jobId ??= await wish.guest.generate(CLIP, wish.key, wish.prompt);
    if (!wish.isToBeCancelled) return;
    const { status } = await wish.guest.call('cancel-video-job', { job_id: wish.jobId });
    if (status === 200 || status === 409) wish.isToBeCancelled = false;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
  }
}

async function kill(server: TestServer, isWithDatabase: boolean): Promise<void> {
  const database = isWithDatabase ? await postgresPid(server.dataDir) : null;
  if (database) process.kill(database, 'SIGKILL');
  await server.kill('SIGKILL');
}

/** All jobs, once each of them has ended. */
async function waitForAll(database: pg.Client): Promise<Row[]> {
  const jobs = async () => (await database.query<Row>('select * from video_jobs order by seq')).rows;
  await until(async () => (await jobs()).every(({ completed_at }) => completed_at), RECOVERY_MAX_MS);
  return jobs();
}

/** Every completed job's file, fetched by the URL that its owner is given, plays. */
async function assertPlayable(wishes: Wish[], completed: Row[]): Promise<void> {
  const probe = createProbe({ maxParallel: 2, log: silentLog, env: compileCache() });
  const folder = await mkdtemp(join(tmpdir(), 'rendio-seen-'));
  const play = async ({ job_id }: Row) => {
    const wish = wishes.find(({ jobId }) => jobId === job_id);
    const video = await fetch((await wish?.guest.job(job_id))?.video_url ?? '');
    assert.equal(video.status, 200);
    const path = join(folder, `${job_id}.mp4`);
    await writeFile(path, new Uint8Array(await video.arrayBuffer()));
    const { durationSeconds } = await probe.probe(path, { thumbnailPath: `${path}.jpg` });
    assert.ok(durationSeconds > 0.9, `${durationSeconds} s`);
  };
  try {
    await Promise.all(completed.map(play));
  } finally {
    await probe.close();
    await rm(folder, { recursive: true });
  }
}

async function filesOf(dataDir: string): Promise<string[]> {
  const names = await readdir(join(dataDir, 'media'), { recursive: true }).catch(() => []);
  return names
    .filter((name) => /\.(mp4|jpg)$/.test(name))
    .map((name) => name.replace(/^(\w+)\/.*\//, '$1/'))
    .sort();
}

function expectedFiles(completed: Row[]): string[] {
  return completed.flatMap(({ job_id }) => [`thumbnails/${job_id}.jpg`, `videos/${job_id}.mp4`]).sort();
}

/** The longest that a job took to its end after the last kill that it lived through, in seconds. */
function slowest(ended: Row[], kills: Date[]): string {
  const recoveries = ended.map(({ created_at, completed_at }) => {
    const end = completed_at ?? new Date();
    const last = kills.findLast((kill) => kill > created_at && kill < end) ?? end;
    return end.getTime() - last.getTime();
  });
  return (Math.max(...recoveries) / 1000).toFixed(1);
}
