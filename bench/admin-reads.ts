/**
 * What administrators wait for at a million rows: the first and the thousandth page of each list, an account's timeline and the
 * overview, in calls of `get-user-credits` of the same run.
 */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { assemble } from '../src/entry/assemble.ts';
import type { Boot } from '../src/entry/boot.ts';
import { openSession } from '../src/features/accounts/session.ts';
import { userId } from './million.ts';
import { type Measurement, quantile } from './report.ts';

const RATIO_MAX = 20;
/** Of each page. */
const READS = 40;
const WARM_UP = 5;
/** Pages are 25 rows long by default. */
const ROWS_BEFORE = 1_000 * 25;
const LIMIT_MAX = 100;
/** The account that most has happened to. */
const BUSY = 77;

/** Each list, its filters with an index, and some that no index serves. */
const LISTS = [
  'users',
  'jobs',
  'jobs?status=completed',
  'jobs?status=failed',
  'jobs?status=pending',
  'jobs?provider=sandbox',
  'jobs?provider=fal',
  'jobs?provider=sandbox&status=failed',
  'jobs?error_code=ERR_4444',
  `jobs?user_id=${userId(BUSY)}&status=failed`,
  'transactions',
  'transactions?reason=video_generation',
  'transactions?reason=iap_purchase',
  'transactions?reason=promo_grant',
  `transactions?user_id=${userId(BUSY)}`,
  'purchases',
  'purchases?product_id=com.rendio.credits.10',
  'purchases?is_refunded=true',
  'purchases?store=stripe',
  'notifications',
  'notifications?type=REFUND',
  'notifications?outcome=taken_back',
  'errors',
  'errors?error_code=ERR_5003',
  'errors?endpoint=none',
  'actions',
  'actions?action_type=user_ban',
  'models',
  'products',
  'codes',
  'codes?credits=6',
];
const FINDS = ['user-0@example.com', userId(BUSY), 'transaction-500000', 'provider-job-500000', randomUUID()];

type Read = (path: string) => Promise<{ next_cursor?: string | null }>;

export async function readAsAdministrator(booted: Boot, owner: pg.Pool): Promise<Measurement[]> {
  await countDays(booted, owner);
  await makeBusy(owner);
  const { credits, read } = await callers(booted, owner);
  const own: number[] = [];
  const found: Measurement[] = [];
  for (const [name, path] of await pathsOf(read)) {
    for (let reads = 0; reads < WARM_UP; reads += 1) await read(path);
    const times: number[] = [];
    for (let reads = 0; reads < READS; reads += 1) {
      own.push(await timed(credits));
      times.push(await timed(() => read(path)));
    }
    found.push({ name, value: quantile(times, 0.95), unit: 'calls', promise: RATIO_MAX });
  }
  const call = quantile(own, 0.5);
  const slowest = found
    .map(({ value, ...more }) => ({ ...more, value: value / call }))
    .sort((a, b) => b.value - a.value);
  return [
    { name: 'get-user-credits', value: call, unit: 'ms' },
    // Far above 1: something else is running, and what follows says little.
    { name: 'get-user-credits, p95', value: quantile(own, 0.95) / call, unit: 'calls' },
    ...slowest,
  ];
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Each page to be read, by a name. The cursor of the thousandth page is reached by larger ones. */
async function pathsOf(read: Read): Promise<[name: string, path: string][]> {
  const today = new Date().toISOString().slice(0, 10);
  const first = new Date(Date.parse(today) - 399 * 86_400_000).toISOString().slice(0, 10);
  const paths: [string, string][] = [
    ['admin-overview of 400 days', `overview?from=${first}&to=${today}`],
    ['admin-health', 'health'],
    ...FINDS.map((query): [string, string] => ['admin-users by an id', `users?query=${query}`]),
  ];
  for (const list of [...LISTS, `user-timeline?user_id=${userId(BUSY)}`]) {
    const query = list.includes('?') ? `${list}&` : `${list}?`;
    let cursor = '';
    for (let rows = 0; rows < ROWS_BEFORE; rows += LIMIT_MAX) {
      const next = (await read(`${query}limit=${LIMIT_MAX}&cursor=${cursor}`)).next_cursor;
      if (!next) break;
      cursor = next;
    }
    paths.push([`admin-${list}, first page`, list]);
    if (cursor !== '') paths.push([`admin-${list}, a page far back`, `${query}cursor=${cursor}`]);
  }
  return paths;
}

async function callers(booted: Boot, owner: pg.Pool): Promise<{ credits: () => Promise<void>; read: Read }> {
  const { ctx } = booted.running;
  const api = assemble(booted, { socketIpOf: () => '192.0.2.2', isWorking: () => true });
  const get = async (path: string, token: string) => {
    const response = await api.request(`/functions/v1/${path}`, { headers: { Authorization: `Bearer ${token}` } });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  const { accessToken } = await openSession(ctx, userId(500));
  const sessionId = randomUUID();
  await owner.query(`select create_administrator('ada@example.com')`);
  const { rows } = await owner.query(`select open_admin_session_by_email($1, 'ada@example.com') as opened`, [
    sessionId,
  ]);
  const { admin_user_id: adminUserId, expires_at } = rows[0].opened;
  const token = await ctx.adminTokens.sign({ adminUserId, sessionId }, new Date(expires_at));
  return { credits: () => get('get-user-credits', accessToken), read: (path) => get(`admin-${path}`, token) };
}

/** Counts all rows, as the worker does over some minutes, and gives the year before figures like these. */
async function countDays({ running }: Boot, owner: pg.Pool): Promise<void> {
  for (let rounds = 0; rounds < 2; ) {
    const counted = await running.ctx.db.call('count_days', {});
    if (counted?.is_limited) continue;
    rounds += 1;
    await owner.query(`update day_progress set noted_at = noted_at - interval '11 seconds'`);
  }
  await owner.query(
    `insert into day_figures (day, figures)
     select day - weeks * 56, figures from day_figures, generate_series(1, 7) weeks
     where day > (now() at time zone 'utc')::date - 57 and not figures ? 'duration'
     on conflict do nothing`,
  );
}

/** Gives one account so much that its thousandth page exists. */
async function makeBusy(owner: pg.Pool): Promise<void> {
  const busy = userId(BUSY);
  await owner.query(`update error_log set user_id = $1 where id <= 20000`, [busy]);
  await owner.query(`update provider_events set user_id = $1 where id <= 20000`, [busy]);
  await owner.query(`analyze error_log, provider_events`);
}
