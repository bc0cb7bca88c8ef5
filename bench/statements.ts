/**
 * What each SQL statement costs at a million rows, in lookups by primary key of the same run: those of every request, and those of
 * every batch of upkeep. A statement whose plan has turned into a scan stands out by its ratio. And what administrators read.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '../src/db/migrate.ts';
import { startEmbeddedPostgres } from '../src/embedded-postgres/start.ts';
import { assemble } from '../src/entry/assemble.ts';
import { type Boot, boot } from '../src/entry/boot.ts';
import { deleteAccount } from '../src/features/accounts/delete-account.ts';
import { openSession } from '../src/features/accounts/session.ts';
import { sweepGenerations } from '../src/features/generations/worker/sweep.ts';
import { checkChanges } from '../src/features/maintenance/worker/check-changes.ts';
import { pruneLogs } from '../src/features/maintenance/worker/prune.ts';
import { reconcile } from '../src/features/maintenance/worker/reconcile.ts';
import { sweepUploads } from '../src/features/storage/worker/sweep.ts';
import { silentLog } from '../src/kernel/log.ts';
import { readAsAdministrator } from './admin-reads.ts';
import { fillWithMillion, userId } from './million.ts';
import { type Bench, type Measurement, quantile } from './report.ts';

const REQUEST_RATIO_MAX = 20;
const UPKEEP_RATIO_MAX = 2_000;
/** Accounts that make each request once. */
const ACCOUNTS = 40;
const LOOKUPS = 400;
/** Of the accounts that have made requests before. */
const DELETIONS = 10;
/** The slowest statements that are shown of each kind. */
const SHOWN = 12;

type Timed = Map<string, number[]>;

/** Times every statement of this process by its text; returns what stops it. */
function timeStatements(into: () => Timed): () => void {
  const { query } = pg.Client.prototype;
  pg.Client.prototype.query = function timed(this: pg.Client, ...request: unknown[]) {
    const began = performance.now();
    const text = textOf(request[0]);
    const note = () => {
      into().set(text, [...(into().get(text) ?? []), performance.now() - began]);
    };
    // A pool passes a callback, everything else waits for a promise.
    const last = request.at(-1);
    if (typeof last === 'function') {
      const callback = (...results: unknown[]) => {
        note();
        last(...results);
      };
      return Reflect.apply(query, this, [...request.slice(0, -1), callback]);
    }
    const done = Reflect.apply(query, this, request);
    if (done instanceof Promise) done.then(note, () => {});
    return done;
  } as typeof query;
  return () => {
    pg.Client.prototype.query = query;
  };
}

function textOf(request: unknown): string {
  const text = typeof request === 'string' ? request : String(Object(request).text);
  return text.replace(/\s+/g, ' ').trim();
}

export const statements: Bench = async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-bench-'));
  // What a commit costs on this disk is not the question.
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog, settings: { synchronous_commit: 'off' } });
  const owner = new pg.Pool({ connectionString: postgres.url, max: 2 }).on('error', () => {});
  try {
    await migrate({ url: postgres.url, log: silentLog });
    await fillWithMillion(owner);
    const env = { DATABASE_URL: postgres.url, DATA_DIR: dataDir, LOG_LEVEL: 'silent', PATH: process.env.PATH };
    const booted = await boot({ env, canEmbed: false });
    try {
      return [...(await readAsAdministrator(booted, owner)), ...(await measure(booted, owner))];
    } finally {
      await booted.close();
    }
  } finally {
    await owner.end();
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
};

async function measure(booted: Boot, owner: pg.Pool): Promise<Measurement[]> {
  const [requests, upkeep, warmUp]: [Timed, Timed, Timed] = [new Map(), new Map(), new Map()];
  let into = warmUp;
  const stop = timeStatements(() => into);
  try {
    const phases: [Timed, () => Promise<void>][] = [
      [warmUp, () => makeRequests(booted, 1, 5)],
      [requests, () => makeRequests(booted, 10, ACCOUNTS)],
      [warmUp, () => ageRows(owner)],
      [upkeep, () => maintain(booted)],
    ];
    for (const [timed, work] of phases) {
      into = timed;
      await work();
    }
    into = warmUp;
    const lookup = await lookupMs(booted);
    return [
      { name: 'a lookup by primary key', value: lookup, unit: 'ms' },
      ...slowest('request', requests, lookup, REQUEST_RATIO_MAX),
      ...slowest('upkeep', upkeep, lookup, UPKEEP_RATIO_MAX),
    ];
  } finally {
    stop();
  }
}

function slowest(kind: string, timed: Timed, lookup: number, ratioMax: number): Measurement[] {
  return [...timed]
    .map(([text, times]) => ({ name: `${kind}: ${text.slice(0, 70)}`, value: quantile(times, 0.5) / lookup }))
    .sort((a, b) => b.value - a.value)
    .slice(0, SHOWN)
    .map(({ name, value }) => ({ name, value, unit: 'lookups', promise: ratioMax }));
}

async function lookupMs({ running }: Boot): Promise<number> {
  const times: number[] = [];
  for (let lookups = 0; lookups < LOOKUPS; lookups += 1) {
    const began = performance.now();
    await running.ctx.db.pool.query('select * from users where id = $1', [userId(1_000 + lookups)]);
    times.push(performance.now() - began);
  }
  return quantile(times, 0.5);
}

/** Each request that an app makes, once for each of some accounts, one after the other. */
async function makeRequests(booted: Boot, first: number, accounts: number): Promise<void> {
  const { ctx } = booted.running;
  const api = assemble(booted, { socketIpOf: () => '192.0.2.1', isWorking: () => true });
  for (let n = first; n < first + accounts; n += 1) {
    const session = await openSession(ctx, userId(n));
    const headers = { Authorization: `Bearer ${session.accessToken}`, 'Content-Type': 'application/json' };
    const get = async (path: string) => {
      const response = await api.request(path, { headers });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as Answer;
    };
    const post = async (path: string, body: object, more = {}) => {
      const request = { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(body) };
      const response = await api.request(path, request);
      if (response.status >= 500) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as Answer;
    };
    await makeOwnRequests(get, post, userId(n));
    await post('/auth/v1/token?grant_type=refresh_token', { refresh_token: session.refreshToken });
    await post('/functions/v1/device-check', {
      device_id: `device-of-user-${n}`,
      device_token: btoa(`device:${n}`),
    });
    await get('/auth/v1/user');
    await get('/functions/v1/get-sessions');
    await get('/functions/v1/export-account');
  }
}

/** Of all answers, what the next request needs. */
type Answer = {
  models: { id: string; provider: string }[];
  jobs: { job_id: string }[];
  next_cursor: string;
  job_id: string;
};
type Get = (path: string) => Promise<Answer>;
type Post = (path: string, body: object, headers?: object) => Promise<Answer>;

async function makeOwnRequests(get: Get, post: Post, user: string): Promise<void> {
  const { models } = await get('/functions/v1/get-models');
  await get('/functions/v1/get-user-credits');
  await get('/functions/v1/get-user-profile');
  const history = await get('/functions/v1/get-credit-history?limit=5');
  await get(`/functions/v1/get-credit-history?cursor=${history.next_cursor ?? ''}`);
  const page = await get('/functions/v1/get-video-jobs?limit=3');
  await get(`/functions/v1/get-video-jobs?limit=3&cursor=${page.next_cursor ?? ''}`);
  await get('/functions/v1/get-video-jobs?limit=3&offset=5');
  await get('/functions/v1/get-video-jobs?limit=3&status=completed');
  await get(`/functions/v1/get-video-status?job_id=${page.jobs[0]?.job_id}`);
  const model = models.find(({ provider }) => provider === 'sandbox');
  const key = { 'Idempotency-Key': randomUUID() };
  const order = { model_id: model?.id, prompt: 'a cat playing piano' };
  const started = await post('/functions/v1/generate-video', order, key);
  await post('/functions/v1/generate-video', order, key);
  await post('/functions/v1/cancel-video-job', { job_id: started.job_id });
  await post('/functions/v1/delete-video-job', { job_id: started.job_id });
  await post('/storage/v1/object/list/user_uploads', { prefix: user, limit: 100 });
  await post('/storage/v1/object/list/videos', { prefix: `${user}`, limit: 100 });
  await post(`/storage/v1/object/sign/user_uploads/${user}/image-${Number.parseInt(user.slice(-12), 16) - 1}.jpg`, {
    expiresIn: 60,
  });
}

/** Some rows have had their time. */
async function ageRows(owner: pg.Pool): Promise<void> {
  await owner.query(`update rate_limit_log set created_at = now() - interval '8 days' where id <= 20000`);
  await owner.query(`update uploads set updated_at = now() - interval '31 days' where id < $1`, [
    '00000000-0000-4000-9000-000000001000',
  ]);
}

/** One round of each upkeep task; and deletions, which an account makes once. */
async function maintain({ running }: Boot): Promise<void> {
  const ctx = { ...running.ctx, log: silentLog };
  const signal = AbortSignal.timeout(600_000);
  for (let n = 1; n <= DELETIONS; n += 1) await deleteAccount(ctx, userId(n));
  await sweepGenerations(ctx);
  await sweepUploads(ctx, signal);
  await pruneLogs(ctx, signal);
  await checkChanges(ctx, signal);
  const violations = await reconcile(ctx, signal);
  if (violations > 0) throw new Error(`${violations} money invariants are broken`);
}
