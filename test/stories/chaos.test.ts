/**
 * The server is killed repeatedly while it works, half of the time with its database. `CHAOS_KILLS` is the number of
 * kills (20), `CHAOS_SEED` the seed of the random choices; the test prints a summary at its end.
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
/** The latest moment of a kill after its generation was requested: between the charge and the end of the job. */
const KILL_WITHIN_MS = 2_500;
/** The smallest video there is, since recovery is measured, not rendering. */
const CLIP = { duration: 1, resolution: '360p' };
/** Every job must have ended within this time. */
const RECOVERY_MAX_MS = 60_000;

/** A guest's request for a video, repeated with its key until it is answered, as an app does after a lost connection. */
type VideoRequest = { guest: Guest; key: string; prompt: string; shouldCancel: boolean; jobId?: string };

type Row = { job_id: string; status: string; error_code: string | null; created_at: Date; completed_at: Date | null };

it(`a server that is killed ${KILLS} times at random moments, half of them with its database, loses neither a credit nor a video`, async (t) => {
  const random = seeded(SEED);
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-chaos-'));
  let server = await startTestServer({ env: { DATA_DIR: dataDir, LOG_LEVEL: 'silent' } });
  const env = { DATA_DIR: dataDir, LOG_LEVEL: 'silent', PORT: new URL(server.url).port };
  try {
    const guests = await Promise.all(Array.from({ length: GUESTS }, () => onboardGuest(server.url)));
    const requests: VideoRequest[] = [];
    const kills: Date[] = [];
    while (kills.length < KILLS) {
      requests.push(newRequest(guests[requests.length % GUESTS], random));
      const sending = requests.map(send);
      await wait(random() * KILL_WITHIN_MS);
      await kill(server, kills.length % 2 === 1);
      kills.push(new Date());
      await Promise.all(sending);
      server = await startTestServer({ env });
    }
    await Promise.all(requests.map(send));
    assert.ok(
      requests.every(({ jobId }) => jobId),
      'every request is answered in the end',
    );

    const database = await connectTo(dataDir);
    const ended = await waitForAll(database);
    assert.equal(ended.length, requests.length, 'one job for each request, however often it was sent');
    assert.deepEqual((await database.query('select * from broken_invariants()')).rows, []);
    await database.end();
    const completed = ended.filter(({ status }) => status === 'completed');
    const isExpected = ended.every(({ error_code }) => [null, 'ERR_5003', 'ERR_5004'].includes(error_code));
    assert.ok(
      isExpected,
      'only jobs that had to fail or were cancelled have failed, since the sandbox’s submits are repeatable',
    );
    const balances = await Promise.all(guests.map((guest) => guest.balance()));
    const left = balances.reduce((sum, balance) => sum + balance, 0);
    assert.equal(left, GUESTS * 10 - completed.length, 'one credit was charged for each completed video');
    await assertPlayable(requests, completed);
    assert.deepEqual(await filesOf(dataDir), expectedFiles(completed), 'no file without a completed job');
    t.diagnostic(
      `seed ${SEED}: ${KILLS} kills, ${Math.floor(KILLS / 2)} with PostgreSQL; ${completed.length} jobs completed, ` +
        `${ended.length - completed.length} failed and were refunded; slowest recovery ${slowest(ended, kills)} s`,
    );
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10 });
  }
});

function newRequest(guest: Guest | undefined, random: () => number): VideoRequest {
  assert.ok(guest);
  const choice = random();
  return {
    guest,
    key: randomUUID(),
    prompt: choice < 0.1 ? 'a declined cat [sandbox:fail]' : 'a cat playing piano',
    shouldCancel: choice > 0.85,
  };
}

/** Sends the request if it has no answer yet; a server that is killed meanwhile gives none. */
async function send(request: VideoRequest): Promise<void> {
  try {
    request.jobId ??= await request.guest.generate(CLIP, request.key, request.prompt);
    if (!request.shouldCancel) return;
    const { status } = await request.guest.call('cancel-video-job', { job_id: request.jobId });
    if (status === 200 || status === 409) request.shouldCancel = false;
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

/** Every completed job's file, downloaded from its owner's URL, plays. */
async function assertPlayable(requests: VideoRequest[], completed: Row[]): Promise<void> {
  const probe = createProbe({ maxParallel: 2, log: silentLog, env: compileCache() });
  const folder = await mkdtemp(join(tmpdir(), 'rendio-downloads-'));
  const play = async ({ job_id }: Row) => {
    const request = requests.find(({ jobId }) => jobId === job_id);
    const video = await fetch((await request?.guest.job(job_id))?.video_url ?? '');
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

/** The longest time from the last kill during a job to the job's end, in seconds. */
function slowest(ended: Row[], kills: Date[]): string {
  const recoveries = ended.map(({ created_at, completed_at }) => {
    const end = completed_at ?? new Date();
    const last = kills.findLast((kill) => kill > created_at && kill < end) ?? end;
    return end.getTime() - last.getTime();
  });
  return (Math.max(...recoveries) / 1000).toFixed(1);
}
