/**
 * What upkeep costs at a million rows: every statement of pruning, expiry and archive, while half of the rows have had their time. The
 * promise is that none takes longer than 100 ms on a machine that answers `get-user-credits` in 5 ms; it is scaled by what this one takes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '../src/db/migrate.ts';
import { startEmbeddedPostgres } from '../src/embedded-postgres/start.ts';
import { assemble } from '../src/entry/assemble.ts';
import { type Boot, boot } from '../src/entry/boot.ts';
import { openSession } from '../src/features/accounts/session.ts';
import { pruneLogs } from '../src/features/maintenance/worker/prune.ts';
import { expireVideos } from '../src/features/storage/worker/expire-videos.ts';
import { sweepUploads } from '../src/features/storage/worker/sweep.ts';
import { silentLog } from '../src/kernel/log.ts';
import { fillWithMillion, userId } from './million.ts';
import { type Bench, type Measurement, quantile } from './report.ts';

const STATEMENT_MS_MAX = 100;
/** The machine that the promise is about answers `get-user-credits` in this time. */
const CREDITS_MS = 5;
const CREDIT_CALLS = 200;
/** Half of a million rows of each kind have had their time; of videos as many as a day makes. */
const AGED = [
  `update rate_limit_log set created_at = created_at - interval '8 days' where id % 2 = 0`,
  `update user_events set created_at = created_at - interval '2 days' where id % 2 = 0 and created_at > now() - interval '1 day'`,
  `update idempotency_log set expires_at = now() - interval '1 hour' where idempotency_key < '80000000-0000-4000-8000-000000000000'`,
  `update provider_events set created_at = created_at - interval '31 days' where id % 2 = 0`,
  `update error_log set created_at = created_at - interval '91 days' where id % 2 = 0`,
  `update refresh_tokens r set created_at = now() - interval '31 days' from sessions s where s.id = r.session_id and s.id < '00000000-0000-4000-9000-000000080000'`,
  `update sessions set active_generation = 5, expires_at = now() - interval '31 days' where id < '00000000-0000-4000-9000-000000080000'`,
  `update video_jobs set error_message = 'the vendor said no' where status = 'failed'`,
  `update provider_attempts set error = 'busy' where attempt = 1 and created_at < now() - interval '30 days'`,
  `update uploads set updated_at = updated_at - interval '31 days' where id < '00000000-0000-4000-9000-000000008000'`,
  'vacuum analyze',
];

export const upkeep: Bench = async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rendio-bench-'));
  // What a commit costs on this disk is not the question.
  const postgres = await startEmbeddedPostgres({ dataDir, log: silentLog, settings: { synchronous_commit: 'off' } });
  const owner = new pg.Pool({ connectionString: postgres.url, max: 2 }).on('error', () => {});
  try {
    await migrate({ url: postgres.url, log: silentLog });
    await fillWithMillion(owner);
    await age(owner);
    const env = { DATABASE_URL: postgres.url, DATA_DIR: dataDir, LOG_LEVEL: 'silent', PATH: process.env.PATH };
    const booted = await boot({ env, canEmbed: false });
    try {
      return await measure(booted);
    } finally {
      await booted.close();
    }
  } finally {
    await owner.end();
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
};

/** Without triggers, as the rows were written. */
async function age(owner: pg.Pool): Promise<void> {
  const client = await owner.connect();
  try {
    await client.query('set session_replication_role = replica');
    for (const statement of AGED) await client.query(statement);
  } finally {
    client.release(true);
  }
}

async function measure(booted: Boot): Promise<Measurement[]> {
  const { ctx } = booted.running;
  const credits = await creditsMs(booted);
  const timed = new Map<string, number[]>();
  const call: typeof ctx.db.call = async (name, args) => {
    const began = performance.now();
    const result = await ctx.db.call(name, args);
    const label = `${name} ${Object(args).kind ?? ''}`.trim();
    timed.set(label, [...(timed.get(label) ?? []), performance.now() - began]);
    return result;
  };
  const measured = { ...ctx, log: silentLog, db: { ...ctx.db, call } };
  const { signal } = new AbortController();
  const began = performance.now();
  await pruneLogs(measured, signal, { jobArchiveDays: 30 });
  await sweepUploads(measured, signal);
  await expireVideos(measured, 55, signal);
  const seconds = (performance.now() - began) / 1_000;
  const promise = (STATEMENT_MS_MAX * credits) / CREDITS_MS;
  const statements = [...timed].flatMap(([name, times]) => [
    { name: `${name} (${times.length}), p50`, value: quantile(times, 0.5), unit: 'ms' as const },
    { name: `${name}, p95`, value: quantile(times, 0.95), unit: 'ms' as const, promise },
  ]);
  return [
    { name: 'get-user-credits', value: credits, unit: 'ms' },
    { name: 'all of it', value: seconds, unit: 's' },
    ...statements,
  ];
}

async function creditsMs(booted: Boot): Promise<number> {
  const api = assemble(booted, { socketIpOf: () => '192.0.2.1', isWorking: () => true });
  const { accessToken } = await openSession(booted.running.ctx, userId(1));
  const times: number[] = [];
  for (let n = 0; n < CREDIT_CALLS; n += 1) {
    const began = performance.now();
    await api.request('/functions/v1/get-user-credits', { headers: { Authorization: `Bearer ${accessToken}` } });
    times.push(performance.now() - began);
  }
  return quantile(times, 0.5);
}
