/**
 * `npm run generate`: writes the generated files. With `--check` it writes nothing, and fails if one of them is out of date.
 */
import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { createHttp } from '../src/app/http.ts';
import { latestMigration } from '../src/db/migrate.ts';
import { boot } from '../src/entry/boot.ts';
import { CLIENT_TYPES, generateClientTypes } from './generate-client-types.ts';
import { generateErrorDocs } from './generate-error-docs.ts';
import { generateProcedures } from './generate-procedures.ts';
import { generateSupabase } from './generate-supabase.ts';
import type { Generated } from './generated-file.ts';
import { dumpSchema } from './schema-dump.ts';
import { behaviourVersion } from './supabase-migrations.ts';

async function generateTypes(url: string, folder: string): Promise<string> {
  const out = join(folder, 'generated.ts');
  await promisify(execFile)(process.execPath, [
    'node_modules/kysely-codegen/dist/cli/bin.js',
    ...['--dialect', 'postgres', '--url', url, '--out-file', out, '--include-pattern', 'public.*'],
    ...[
      '--type-mapping',
      '{"int8":"number","timestamptz":"Date"}',
      '--numeric-parser',
      'number',
      '--log-level',
      'error',
    ],
  ]);
  return readFile(out, 'utf8');
}

/** For code that may run where the folder `db/` does not exist. */
async function generateLatestMigration(supabase: Generated[]): Promise<string> {
  const files = [...globSync('supabase/migrations/*.sql'), ...supabase.map(({ file }) => file)];
  return [
    '// Written by `npm run generate`, for code that runs where the folder db/ does not exist.',
    '',
    '/** The name of the newest migration in this code. */',
    `export const LATEST_MIGRATION = '${await latestMigration()}';`,
    '/** Goes up with each change of the procedures: a server never replaces those of a newer version. */',
    `export const BEHAVIOUR_VERSION = ${groupDigits(behaviourVersion(files))};`,
    '',
  ].join('\n');
}

/** As the linter wants large numbers: `20_261_129_000_003`. */
function groupDigits(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, '_');
}

async function readDatabase(client: pg.Client): Promise<{ schema: string; procedures: string }> {
  return { schema: await dumpSchema(client), procedures: await generateProcedures(client) };
}

/** As `npm run format` would leave it. */
function format(file: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const biome = execFile(
      process.execPath,
      ['node_modules/@biomejs/biome/bin/biome', 'format', `--stdin-file-path=${file}`],
      (error, stdout) => (error ? reject(error) : resolve(stdout)),
    );
    biome.stdin?.end(text);
  });
}

/** Everything is generated from a real server, started on an empty folder. */
async function generateAll(): Promise<Generated[]> {
  const folder = await mkdtemp(join(tmpdir(), 'rendio-generate-'));
  const booted = await boot({
    env: { PATH: process.env.PATH, DATA_DIR: folder, LOG_LEVEL: 'silent' },
    canEmbed: true,
  });
  try {
    const { url } = booted.database;
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { schema, procedures } = await readDatabase(client).finally(() => client.end());
    const api = createHttp(booted.running.ctx, {
      publicUrl: undefined,
      corsOrigins: '*',
      anonKey: undefined,
      ipOf: () => '127.0.0.1',
      isWorking: () => null,
    });
    const openApi: unknown = await (await api.request('http://localhost:8787/openapi.json')).json();
    const supabase = await generateSupabase(openApi);
    return [
      { file: 'db/schema.sql', text: schema },
      { file: 'src/db/generated.ts', text: await generateTypes(url, folder) },
      { file: 'src/db/procedures.ts', text: await format('src/db/procedures.ts', procedures) },
      { file: 'docs/openapi.json', text: `${JSON.stringify(openApi, null, 2)}\n` },
      { file: CLIENT_TYPES, text: generateClientTypes(openApi, folder) },
      { file: 'docs/errors.md', text: generateErrorDocs() },
      { file: 'src/db/latest-migration.ts', text: await generateLatestMigration(supabase) },
      ...supabase,
    ];
  } finally {
    await booted.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const isCheckOnly = process.argv.includes('--check');
const stale: string[] = [];
for (const { file, text } of await generateAll()) {
  const present = await readFile(file, 'utf8').catch(() => null);
  if (present === text) continue;
  stale.push(file);
  if (isCheckOnly) continue;
  if (text === null) await rm(dirname(file), { recursive: true });
  else await mkdir(dirname(file), { recursive: true }).then(() => writeFile(file, text));
}
if (isCheckOnly && stale.length > 0) {
  console.error(`out of date: ${stale.join(', ')}. Run: npm run generate`);
  process.exit(1);
}
console.log(stale.length > 0 ? `written: ${stale.join(', ')}` : 'generated files are up to date');
process.exit(0);
