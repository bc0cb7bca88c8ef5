/**
 * Generates `supabase/migrations` from `db/` and the queue's own SQL. A migration that was pushed must never change, so a
 * changed source goes into a new file. Each file names its sources and their hashes: the newest copy of each source is the
 * one that a database has after a push.
 */
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Generated } from './generated-file.ts';

/** `bookkeeping` is the SQL after it that records it as applied, for a server that starts on this database. */
type Source = { name: string; sql: string; hash: string; bookkeeping: string };
/** `changed`: the names of the sources that have changed; the others are repeated. */
type Addition = { title: string; sources: Source[]; changed: string[] };
type Placed = { file: string; hash: string; text: string };

export type MigrationOptions = { db?: string; folder?: string; today?: Date };

const MARK = /^-- source: (\S+) sha256:([0-9a-f]{64})$/gm;
/** Applied again after every change, as the server does: a new table must never be unprotected. */
const GRANTS = /^grants/;

/** The files that are missing in `folder`; none if it has the newest copy of each source. */
export async function generateMigrations(options: MigrationOptions = {}): Promise<Generated[]> {
  const { db = 'db', folder = 'supabase/migrations', today = new Date() } = options;
  const files = globSync(`${folder}/*.sql`).sort();
  const placed = placedIn(files);
  const queue = await queueSource();
  const structure = sourcesIn(db, 'migrations');
  const behaviour = behaviourSources(db);
  refuseChangesOfHistory(structure, placed);
  refuseEdits([...structure, ...sourcesIn(db, 'indexes'), queue, ...behaviour], placed);

  const isNew = (source: Source) => placed.get(source.name)?.hash !== source.hash;
  const added: Addition[] = structure
    .filter(isNew)
    .map((source) => ({ title: titleOf(source.name), sources: [source], changed: [source.name] }));
  const indexes = sourcesIn(db, 'indexes').filter(isNew);
  if (indexes.length > 0) {
    added.push({ title: 'indexes', sources: indexes, changed: indexes.map(({ name }) => name) });
  }
  if (isNew(queue)) added.push({ title: 'queue', sources: [queue], changed: [queue.name] });
  const changed = behaviour.filter(isNew);
  if (changed.length > 0 || added.length > 0) {
    const sources = behaviour.filter((source) => changed.includes(source) || GRANTS.test(source.name));
    added.push({ title: 'behaviour', sources, changed: changed.map(({ name }) => name) });
  }
  let version = BigInt(/(\d+)_/.exec(files.at(-1) ?? '')?.[1] ?? '0');
  const day = BigInt(`${today.toISOString().slice(0, 10).replaceAll('-', '')}000000`);
  const isFirst = files.length === 0;
  return added.map((addition, index) => {
    version = (version >= day ? version : day) + 1n;
    const text = textOf(addition, version, isFirst && index === 0);
    return { file: `${folder}/${version}_${addition.title}.sql`, text };
  });
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A file of `db/`, with the row by which a server knows that it is applied; see src/db/migrate.ts. */
function sourceAt(db: string, name: string): Source {
  const text = readFileSync(join(db, name), 'utf8');
  const hash = hashOf(text);
  // Supabase's command line runs a file in one transaction, in which no index can be built concurrently.
  const sql = name.startsWith('indexes/') ? text.replaceAll(' concurrently ', ' ') : text;
  const bookkeeping = `insert into public.schema_history (name, hash) values ('${name}', '${hash}')
on conflict (name) do update set hash = excluded.hash, applied_at = now();`;
  return { name, sql, hash, bookkeeping };
}

function sourcesIn(db: string, folder: string): Source[] {
  const names = globSync('**/*.sql', { cwd: join(db, folder) }).map((name) => name.replaceAll('\\', '/'));
  return names.sort().map((name) => sourceAt(db, `${folder}/${name}`));
}

/** In the order in which the server applies them. */
function behaviourSources(db: string): Source[] {
  return [
    sourceAt(db, 'roles.sql'),
    ...sourcesIn(db, 'procedures'),
    ...['grants-queue.sql', 'grants-hosted.sql', 'grants-policies.sql', 'grants.sql'].map((name) => sourceAt(db, name)),
    ...sourcesIn(db, 'seed'),
  ];
}

/**
 * All of the queue's migrations in one source, with the rows that tell the library that they are applied. Each is a block of
 * its own, which always runs inside a transaction: some of them lock tables.
 */
async function queueSource(): Promise<Source> {
  const { migrations } = await importInside<{ migrations: Record<string, string> }>('generated/sql.js');
  const { BREAKING_MIGRATIONS: breaking } = await importInside<{ BREAKING_MIGRATIONS: number[] }>('lib.js');
  const steps = Object.entries(migrations).map(([file, sql]) => {
    const id = Number.parseInt(file, 10);
    const text = sql.replace(/:GRAPHILE_WORKER_SCHEMA\b/g, '"graphile_worker"').trim();
    const row = `insert into graphile_worker.migrations (id, breaking) values (${id}, ${breaking.includes(id)});`;
    return `do $step$\nbegin\n  if exists (select from graphile_worker.migrations where id = ${id}) then\n    return;\n  end if;
  ${row}\n  execute $sql$\n${text}\n$sql$;\nend\n$step$;`;
  });
  const sql = `${QUEUE_HEAD}\n${steps.join('\n\n')}\n`;
  return { name: 'graphile-worker', sql, hash: hashOf(sql), bookkeeping: '' };
}

const QUEUE_HEAD = `-- graphile-worker (MIT, https://github.com/graphile/worker), whose schema is its own; a newer version migrates it further.
create schema if not exists graphile_worker;
create table if not exists graphile_worker.migrations (
  id int primary key,
  ts timestamptz default now() not null
);
alter table graphile_worker.migrations add column if not exists breaking boolean not null default false;
`;

/** The library exports neither its SQL nor the list of migrations that break older versions. */
async function importInside<Module>(path: string): Promise<Module> {
  return (await import(new URL(path, import.meta.resolve('graphile-worker')).href)) as Module;
}

/** The newest copy of each source. */
function placedIn(files: string[]): Map<string, Placed> {
  const placed = new Map<string, Placed>();
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    for (const [, name = '', hash = ''] of text.matchAll(MARK)) placed.set(name, { file, hash, text });
  }
  return placed;
}

function refuseChangesOfHistory(structure: Source[], placed: Map<string, Placed>): void {
  for (const { name, hash } of structure) {
    const before = placed.get(name);
    if (before && before.hash !== hash) {
      throw new Error(`db/${name} has changed since it was written to ${before.file}. Restore it and write a new one.`);
    }
  }
}

/** A source that a file's mark names must be in that file, word for word. */
function refuseEdits(sources: Source[], placed: Map<string, Placed>): void {
  for (const source of sources) {
    const at = placed.get(source.name);
    if (at?.hash !== source.hash || at.text.includes(blockOf(source))) continue;
    throw new Error(
      `${at.file} no longer holds ${source.name} as it was written. Restore it: what was pushed never changes.`,
    );
  }
}

function textOf({ title, sources, changed }: Addition, version: bigint, isFirst: boolean): string {
  const head = `-- Written by \`npm run generate\` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: ${changed.join(', ')}
`;
  const body = sources.map(blockOf);
  const behaviour = title === 'behaviour' ? [UNCHECKED, ...body, CHECKED, versionRow(version)] : body;
  return [head, ...(isFirst ? [HISTORY] : []), ...behaviour].join('\n');
}

// Procedures call one another; each is there once all are.
const UNCHECKED = 'set check_function_bodies = off;\n';
const CHECKED = 'reset check_function_bodies;\n';

const HISTORY = `-- What of db/ is applied, and in which version: a server that starts on this database reads and writes it too.
create table if not exists public.schema_history (
  name text primary key,
  hash text not null,
  applied_at timestamptz not null default now()
);
`;

function blockOf({ name, hash, sql, bookkeeping }: Source): string {
  return `-- source: ${name} sha256:${hash}\n${sql.trimEnd()}\n${bookkeeping ? `\n${bookkeeping}\n` : ''}`;
}

/** By it, a server of an older version leaves these procedures as they are. */
function versionRow(version: bigint): string {
  return `insert into public.schema_history (name, hash) values ('behaviour', '${version}')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
`;
}

/** The version of the procedures: the number of the newest file that changed them. */
export function behaviourVersion(files: string[]): number {
  const versions = files.flatMap((file) => /(\d+)_behaviour\.sql$/.exec(file)?.[1] ?? []).map(Number);
  return Math.max(0, ...versions);
}

function titleOf(name: string): string {
  return name.replace(/^migrations\//, '').replace(/\.sql$/, '');
}
