/** Upkeep over a year of generated life, by two processes at once: exactly what must stay stays. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { allTasks } from '../../../src/app/tasks.ts';
import { createDatabase } from '../../../src/db/database.ts';
import { createPool } from '../../../src/db/pool.ts';
import type { Context } from '../../../src/features/context.ts';
import { sweepFiles } from '../../../src/features/storage/worker/sweep-files.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { createDiskStore } from '../../../src/media/disk.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';
import { fillWithYear } from '../../support/year.ts';

const TASKS = ['prune_logs', 'sweep_uploads', 'expire_videos', 'sweep_files'];

/**
 * What is left of a table: `keep` is a condition, `change` what its rows have become, as an object over theirs, and `without` are columns
 * that say when that was. A table that is not here keeps every row as it is.
 */
type Rule = { keep?: string; change?: string; without?: string[] };
const newer = (column: string, interval: string): Rule => ({ keep: `t.${column} >= now() - interval '${interval}'` });

const ALWAYS: Record<string, Rule> = {
  rate_limit_log: newer('created_at', '7 days'),
  idempotency_log: newer('expires_at', '0'),
  user_events: newer('created_at', '1 day'),
  sessions: newer('expires_at', '30 days'),
  refresh_tokens: {
    keep: `exists (
      select from sessions s where s.id = t.session_id and s.expires_at >= now() - interval '30 days'
        and (t.created_at >= now() - interval '30 days' or t.generation >= s.active_generation - 1))`,
  },
  admin_links: newer('expires_at', '1 day'),
  admin_sessions: newer('expires_at', '1 day'),
  error_log: newer('created_at', '90 days'),
  provider_events: newer('created_at', '30 days'),
  apple_account_notifications: newer('created_at', '90 days'),
  used_identity_tokens: newer('expires_at', '1 day'),
  alerts: newer('created_at', '90 days'),
  store_notifications: {
    change: `case when t.received_at < now() - interval '180 days' and t.processed_at is not null then '{"payload": null}' else '{}' end`,
  },
  // Of two hidden images the one that has been so for two hours is gone; what was not used for a month is hidden.
  uploads: {
    keep: `t.stored_at is not null or t.updated_at > now() - interval '1 hour'`,
    change: `case when t.updated_at < now() - interval '30 days' and not exists (
        select from video_jobs j where j.user_id = t.user_id and j.image_url = t.path
          and (j.completed_at is null or j.created_at > now() - interval '30 days'))
      then jsonb_build_object('stored_at', null, 'path', t.user_id || '/~' || t.id) else '{}' end`,
    without: ['updated_at'],
  },
  video_jobs: {
    change: `case when t.deleted_at < now() - interval '30 days'
      then '{"prompt": "[deleted]", "image_url": null, "error_message": null}' else '{}' end`,
  },
  provider_attempts: {
    change: `(select case when j.deleted_at < now() - interval '30 days' then '{"error": null, "result_error": null}' else '{}' end
      from video_jobs j where j.job_id = t.job_id)`,
  },
  shares: {
    keep: `not exists (select from video_jobs j where j.job_id = t.job_id and j.deleted_at < now() - interval '30 days')`,
  },
};

/** With VIDEO_RETENTION_DAYS=200 and JOB_ARCHIVE_DAYS=100, after a run without. */
const IS_OLD_VIDEO = `status = 'completed' and deleted_at is null and completed_at < now() - interval '200 days'`;
const WHERE_SET: Record<string, Rule> = {
  video_jobs: {
    change: `case when ${IS_OLD_VIDEO} then '{"video_url": null, "thumbnail_url": null}' else '{}' end::jsonb
      || case when t.completed_at < now() - interval '100 days' then '{"error_message": null}' else '{}' end::jsonb`,
    without: ['video_removed_at'],
  },
  provider_attempts: {
    change: `case when t.created_at < now() - interval '100 days' then '{"error": null, "result_error": null}' else '{}' end`,
  },
  shares: { keep: `not exists (select from video_jobs j where j.job_id = t.job_id and ${IS_OLD_VIDEO})` },
};

describe('upkeep over a year of life', () => {
  let app: TestApp;
  let processes: Context[];
  let tables: string[];
  let untouched: string[];
  const pools: ReturnType<typeof createPool>[] = [];
  const rows = async (sql: string, values: unknown[] = []) => (await app.owner.query(sql, values)).rows;

  before(async () => {
    app = await createTestApp();
    await fillWithYear(app.owner);
    await storeFiles();
    const other = createPool({ url: app.url, log: silentLog, connectionsMax: 4 });
    pools.push(other);
    const media = createDiskStore({ folder: join(app.dataDir, 'media') });
    processes = [app.ctx, { ...app.ctx, db: createDatabase(other), media }];
    // How far a search for files has come says nothing about life.
    const found =
      await rows(`select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
      and relname <> 'file_sweeps' order by 1`);
    tables = found.map(({ name }) => name);
  });
  after(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await app[Symbol.asyncDispose]();
  });

  /** Every 20th job's files, and those of images; a week old, as are others that no row names, or that are none of ours. */
  async function storeFiles(): Promise<void> {
    const named = await rows(`
      select file as key from uploads
      union all select 'videos/' || media_path || '.mp4' from video_jobs where seq % 20 in (1, 2, 7)
      union all select 'thumbnails/' || media_path || '.jpg' from video_jobs where seq % 20 in (1, 2, 7)
      union all select 'videos/' || media_path || '.mp4' from video_jobs where status in ('pending', 'processing', 'failed')`);
    const orphans = ['videos', 'thumbnails', 'user_uploads'].map((bucket) => {
      const end = { videos: '2026-01/ID.mp4', thumbnails: '2026-01/ID.jpg', user_uploads: 'ID.png' }[bucket];
      return `${bucket}/${randomUUID()}/${end?.replace('ID', randomUUID())}`;
    });
    const foreign = [
      'videos/notes.txt',
      `videos/${randomUUID()}/2026-01/${randomUUID()}.mov`,
      'user_uploads/kept/by-hand.png',
    ];
    const source = join(app.dataDir, 'source');
    await writeFile(source, 'some bytes');
    const [first, ...others] = [...new Set([...named.map(({ key }) => String(key)), ...orphans, ...foreign])];
    await app.ctx.media.putFile(first ?? '', source);
    // Many at once: each is flushed to the disk.
    await Promise.all(others.map((key) => app.ctx.media.putFile(key, source)));
    const weekAgo = new Date(Date.now() - 7 * 86_400_000);
    const folder = join(app.dataDir, 'media');
    await Promise.all([...others, first ?? ''].map((key) => utimes(join(folder, key), weekAgo, weekAgo)));
    const young = `videos/${randomUUID()}/2026-01/${randomUUID()}.mp4`;
    await app.ctx.media.putFile(young, source);
    untouched = [young, ...foreign];
  }

  /** All tasks of upkeep, by both processes at once. */
  async function upkeep(retention: Context['policy']['retention']): Promise<void> {
    const { signal } = new AbortController();
    await Promise.all(
      processes.map(async (ctx) => {
        const tasks = allTasks({ ...ctx, policy: { ...ctx.policy, retention } });
        for (const name of TASKS) await tasks[name]?.({}, { signal, attempt: 1 });
      }),
    );
  }

  /** Runs `work` while another transaction holds the rows of a query; returns the rows and its result. */
  async function whileHeld<T>(query: string, work: () => Promise<T>): Promise<[T, unknown[]]> {
    const holder = await app.owner.connect();
    try {
      await holder.query('begin');
      const held = await holder.query(`${query} for update`);
      return [await work(), held.rows];
    } finally {
      await holder.query('rollback');
      holder.release();
    }
  }

  async function contents(rules: Record<string, Rule>, isBefore: boolean, of = tables): Promise<Map<string, string[]>> {
    const all = new Map<string, string[]>();
    for (const table of of) {
      const { keep = 'true', change = `'{}'`, without = [] } = rules[table] ?? {};
      const columns = `{${without.join(',')}}`;
      const found = await rows(
        isBefore
          ? `select (to_jsonb(t) - $1::text[] || (${change})::jsonb)::text as row from ${table} t where ${keep} order by 1`
          : `select (to_jsonb(t) - $1::text[])::text as row from ${table} t order by 1`,
        [columns],
      );
      all.set(
        table,
        found.map(({ row }) => row),
      );
    }
    return all;
  }

  /** Of these files, those that rows name now stay, the young one, and those that are none of ours. */
  async function assertFilesOf(earlier: string[]): Promise<void> {
    const named = await rows(`
      select file as key from uploads
      union all select 'videos/' || video_url from video_jobs where status = 'completed' and deleted_at is null
      union all select 'thumbnails/' || thumbnail_url from video_jobs where status = 'completed' and deleted_at is null
      union all select 'videos/' || media_path || '.mp4' from video_jobs where status in ('pending', 'processing')
      union all select 'thumbnails/' || media_path || '.jpg' from video_jobs where status in ('pending', 'processing')`);
    const wanted = new Set([...named.map(({ key }) => key), ...untouched]);
    const [stored, stay] = [await app.stored(), earlier.filter((key) => wanted.has(key))];
    assert.ok(stay.length < earlier.length, 'some go');
    const [gone, left] = [stay.filter((key) => !stored.includes(key)), stored.filter((key) => !stay.includes(key))];
    assert.deepEqual({ gone, left }, { gone: [], left: [] });
  }

  function assertSame(found: Map<string, string[]>, expected: Map<string, string[]>): void {
    for (const [table, wanted] of expected) {
      const have = new Set(found.get(table));
      const want = new Set(wanted);
      assert.deepEqual(
        {
          missing: [...want].filter((row) => !have.has(row)).slice(0, 3),
          left: [...have].filter((row) => !want.has(row)).slice(0, 3),
        },
        { missing: [], left: [] },
        table,
      );
      assert.equal(found.get(table)?.length, wanted.length, table);
    }
  }

  it('generates a year in which the rules of the money hold, and something of each kind has had its time', async () => {
    assert.deepEqual(await rows('select * from broken_invariants()'), []);
    const changing = Object.keys(ALWAYS);
    const [all, kept] = [await contents({}, false, changing), await contents(ALWAYS, true, changing)];
    for (const table of changing) {
      const [was, is] = [all.get(table) ?? [], kept.get(table) ?? []];
      const same = is.filter((row) => was.includes(row)).length;
      assert.ok(same < was.length && is.length > 0, `${table}: ${same} of ${was.length} stay as they are`);
    }
  });

  it('removes exactly what has had its time, waits for no one, and does nothing the next time', async () => {
    const [expected, earlier] = [await contents(ALWAYS, true), await app.stored()];
    // A merge, for example, that holds a row while upkeep passes.
    const held = await whileHeld('select id from rate_limit_log order by created_at limit 1', async () => {
      await upkeep({ videoDays: null, jobArchiveDays: null });
      return rows('select id from rate_limit_log order by created_at limit 1');
    });
    assert.deepEqual(...held, 'a row that is held is left to the next time');
    for (let n = 1; n <= 2; n += 1) await upkeep({ videoDays: null, jobArchiveDays: null });
    assertSame(await contents(ALWAYS, false), expected);
    await assertFilesOf(earlier);
    assert.deepEqual(await rows('select * from broken_invariants()'), []);
  });

  it('removes old videos and texts for operators where the operator says so; jobs stay, and say it', async () => {
    const retention = { videoDays: 200, jobArchiveDays: 100 };
    const [expected, earlier] = [await contents(WHERE_SET, true), await app.stored()];
    const [shown] = await rows(`select job_id, user_id from video_jobs
       where ${IS_OLD_VIDEO} and user_id not in (select user_id from administrators) limit 1`);
    await upkeep(retention);
    await upkeep(retention);
    assertSame(await contents(WHERE_SET, false), expected);
    await assertFilesOf(earlier);
    const token = await app.tokenOf(shown?.user_id);
    const answer = await app.fetch(`/functions/v1/get-video-status?job_id=${shown?.job_id}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const { status, video_url, thumbnail_url, video_removed_at } = (await answer.json()) as Record<string, string>;
    assert.deepEqual([status, video_url, thumbnail_url], ['completed', null, null]);
    assert.match(video_removed_at ?? '', /^20/);
    assert.deepEqual(await rows('select * from broken_invariants()'), []);
  });

  it('takes the search for files without a row up where it stopped, and spares the files of another database', async () => {
    const source = join(app.dataDir, 'source');
    const weekAgo = new Date(Date.now() - 7 * 86_400_000);
    const store = async (key: string) => {
      await app.ctx.media.putFile(key, source);
      await utimes(join(app.dataDir, 'media', key), weekAgo, weekAgo);
      return key;
    };
    const orphan = (owner: string) => store(`user_uploads/${owner}/${randomUUID()}.png`);
    const { signal } = new AbortController();
    const sweep = () => sweepFiles(app.ctx, signal);
    const [early, late] = [
      await orphan('0'.repeat(8) + randomUUID().slice(8)),
      await orphan('f'.repeat(8) + randomUUID().slice(8)),
    ];
    const isThere = async (key: string) => (await app.ctx.media.info(key)) !== null;

    await rows(`update file_sweeps set after_key = $1, finished_at = null where bucket = 'user_uploads'`, [early]);
    assert.equal((await sweep()).removed, 1);
    assert.deepEqual([await isThere(early), await isThere(late)], [true, false]);
    assert.deepEqual(await rows('select after_key from file_sweeps where after_key is not null'), []);

    const [own] = await rows('select media_store_id as id from settings');
    for (const id of [randomUUID(), null]) {
      await rows('update settings set media_store_id = $1', [id]);
      assert.equal((await sweep()).removed, 0, 'the store is not the database’s own');
    }
    await rows('update settings set media_store_id = $1', [own?.id]);
    const strangers = await Promise.all(Array.from({ length: 80 }, () => orphan(randomUUID())));
    assert.equal((await sweep()).removed, 0, 'the database is an old backup');
    await Promise.all(strangers.slice(10).map((key) => app.ctx.media.remove(key)));
    assert.equal((await sweep()).removed, 11);
    assert.equal(await isThere(early), false);
  });
});
