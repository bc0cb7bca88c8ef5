/** A PostgreSQL like that of a new Supabase project, and the real CLI to push to it. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../../src/embedded-postgres/start.ts';
import { silentLog } from '../../../src/kernel/log.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const CLI = join(ROOT, 'node_modules/supabase/dist/supabase.js');

export type SupabaseProject = AsyncDisposable & {
  /** Connects as the project's owner, who is no superuser: the connection string that the dashboard shows. */
  url: string;
  /** Connects as the superuser, to check the database. */
  admin: pg.Pool;
  /** Runs `supabase db push` with the project's own folder; returns its output, throws if it fails. */
  push(): Promise<string>;
};

/** Roles belong to a whole cluster, so the project has its own cluster. */
export async function createSupabaseProject(): Promise<SupabaseProject> {
  const folder = await mkdtemp(join(tmpdir(), 'rendio-supabase-'));
  const settings = { wal_level: 'logical', fsync: 'off', synchronous_commit: 'off' };
  const binDir = process.env.TEST_POSTGRES_BIN;
  const postgres = await startEmbeddedPostgres({
    dataDir: folder,
    log: silentLog,
    settings,
    ...(binDir ? { binDir } : {}),
  });
  const bootstrap = new URL(postgres.url);
  const password = randomBytes(12).toString('hex');
  const as = (user: string, database = 'project') => {
    const url = new URL(bootstrap);
    Object.assign(url, { username: user, password, pathname: `/${database}` });
    return url.href;
  };
  // The first superuser cannot lose its rights but can be renamed, though not by itself.
  await query(bootstrap.href, `create role renamer login superuser password '${password}'`);
  await query(
    as('renamer', 'rendio'),
    `alter role postgres rename to supabase_admin; alter role supabase_admin password '${password}'`,
  );
  await query(as('supabase_admin', 'rendio'), 'create database project');
  await query(as('supabase_admin'), await readFile(join(import.meta.dirname, '..', 'supabase-project.sql'), 'utf8'));
  await query(
    as('supabase_admin'),
    `alter role postgres password '${password}'; alter database project owner to postgres; drop role renamer`,
  );

  const admin = new pg.Pool({ connectionString: as('supabase_admin'), max: 2 });
  admin.on('error', () => {});
  const workdir = join(folder, 'checkout');
  await mkdir(workdir);
  for (const part of ['config.toml', 'migrations']) {
    await cp(join(ROOT, 'supabase', part), join(workdir, 'supabase', part), { recursive: true });
  }
  return {
    url: as('postgres'),
    admin,
    push: () => push(as('postgres'), workdir, folder),
    async [Symbol.asyncDispose]() {
      await admin.end();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** Uses a copy of the folder and a separate home folder, because the CLI writes to both. */
function push(url: string, workdir: string, home: string): Promise<string> {
  return supabase(['db', 'push', `--db-url=${url}`, '--yes', '--workdir', workdir], home);
}

/** Runs the real CLI with `home` as its home folder; returns its output, throws if it fails. */
export async function supabase(args: string[], home: string, more: Record<string, string> = {}): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    DO_NOT_TRACK: '1',
    SUPABASE_TELEMETRY_DISABLED: '1',
    NO_COLOR: '1',
    ...more,
  };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [CLI, ...args], {
    env,
    cwd: home,
    timeout: 60_000,
  });
  return `${stdout}${stderr}`;
}
