/**
 * Documents may name only what exists: paths, files, npm scripts, variables, tables, procedures, error codes, endpoints.
 * CONTRIBUTING lists exactly the dependencies that the manifests have.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const read = (file: string) => readFileSync(file, 'utf8');
const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found = '']) => found);

const MANIFEST = JSON.parse(read('package.json'));
const NATIVE_SCRIPTS = ['ci', 'start', 'test', 'install', 'pack'];
/** Variables of the tests and tools, and those that an edge runtime sets. */
const OTHER_VARIABLES = new Set(
  ['test', 'scripts', 'bench', 'src/entry/door'].flatMap((folder) =>
    globSync(`${folder}/**/*.ts`).flatMap((file) => matches(read(file), /\benv\.([A-Z][A-Z0-9_]+)/g)),
  ),
);
const ENVIRONMENT = new Set(matches(read('.env.example'), /^# ?([A-Z][A-Z0-9_]+)=/gm));
const SQL = [...globSync('db/**/*.sql')].map(read).join('\n');
const SQL_NAMES = new Set(matches(SQL, /\b([a-z]+(?:_[a-z0-9]+)+)\b/g));
const ERROR_CODES = new Set(matches(read('src/kernel/errors.ts'), /\b(ERR_\d{4})\b/g));
const OPENAPI: { paths: Record<string, unknown> } = JSON.parse(read('docs/openapi.json'));
const ENDPOINTS = new Set([
  ...Object.keys(OPENAPI.paths),
  ...globSync('supabase/functions/*').map((folder) => `/functions/v1/${basename(folder)}`),
]);
/** What is named in documents and made by their reader, or part of another product. */
const FOREIGN = new Set([
  ...['supabase/.env.production', 'pg_cron', 'pg_net', 'pg_dump', 'pg_stat_statements'],
  ...['POSTGRES_USER', 'POSTGRES_DB', 'POSTGRES_PASSWORD', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
]);
/** Words with underscores that are fields, events or values of the API, or parts of it. */
const API_WORDS = new Set([
  ...matches(JSON.stringify(OPENAPI), /\b([a-z]+(?:_[a-z0-9]+)+)\b/g),
  ...globSync(['src/**/*.ts', 'client/src/**/*.ts']).flatMap((file) =>
    matches(read(file), /\b([a-z]+(?:_[a-z0-9]+)+)\b/g),
  ),
]);
const FILE_NAMES = new Set(
  globSync(['{src,client,web,sim,scripts,bench,test,supabase}/**/*.{ts,tsx}', '*.{json,ts}']).map((file) =>
    basename(file),
  ),
);

/** What a kind of name is called, how it is found, and whether one exists. */
const KINDS: [kind: string, pattern: RegExp, exists: (name: string) => boolean][] = [
  ['', /`((?:src|db|docs|test|sim|scripts|bench|web|assets|client|supabase)\/[\w./-]+)`/g, (path) => existsSync(path)],
  ['file ', /`([\w-]+\.tsx?)`/g, (name) => FILE_NAMES.has(name)],
  ['npm run ', /\bnpm run ([\w:-]+)/g, (name) => MANIFEST.scripts[name] !== undefined || NATIVE_SCRIPTS.includes(name)],
  ['variable ', /`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`/g, isKnownVariable],
  ['', /`([a-z]+(?:_[a-z0-9]+)+)(?:\(\))?`/g, (name) => SQL_NAMES.has(name) || API_WORDS.has(name)],
  ['error code ', /\b(ERR_\d{4})\b/g, (code) => ERROR_CODES.has(code)],
  ['endpoint ', /(\/functions\/v1\/[a-z][\w-]+)/g, (path) => ENDPOINTS.has(path)],
];

function isKnownVariable(name: string): boolean {
  return ENVIRONMENT.has(name) || OTHER_VARIABLES.has(name) || ERROR_CODES.has(name);
}

function brokenIn(file: string): string[] {
  const text = read(file);
  const links = matches(text, /\]\((?!https?:|#|mailto:)([^)#\s]+)/g).filter(
    (path) => !existsSync(join(dirname(file), path)),
  );
  const names = KINDS.flatMap(([kind, pattern, exists]) =>
    matches(text, pattern)
      .filter((name) => !exists(name) && !FOREIGN.has(name))
      .map((name) => `${kind}${name}`),
  );
  return [...new Set([...links, ...names])].map((name) => `${file}: there is no ${name}`);
}

/** The dependency table against the manifests, both ways. A name that ends in `*` stands for all that begin so. */
function dependencyTable(): string[] {
  const table = read('CONTRIBUTING.md').split('## Dependencies')[1] ?? '';
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  const listed = rows.flatMap((row) => matches(row.split('|')[1] ?? '', /`([^`]+[^`/])`/g));
  const manifests = [MANIFEST, JSON.parse(read('client/package.json'))];
  const used = manifests.flatMap((manifest) => [
    ...Object.keys(manifest.dependencies ?? {}),
    ...Object.keys(manifest.optionalDependencies ?? {}),
    ...Object.keys(manifest.devDependencies ?? {}),
  ]);
  const covers = (entry: string, name: string) =>
    entry.endsWith('*') ? name.startsWith(entry.slice(0, -1)) : entry === name;
  return [
    ...used
      .filter((name) => !listed.some((entry) => covers(entry, name)))
      .map((name) => `CONTRIBUTING.md: no row for ${name}`),
    ...listed
      .filter((entry) => !used.some((name) => covers(entry, name)))
      .map((entry) => `CONTRIBUTING.md: ${entry} is not a dependency`),
  ];
}

/** Decision records describe the day they were made and are never edited, so they are not compared with today's files. */
export function checkDocs(): string[] {
  return [
    ...globSync(['*.md', 'db/*.md', 'client/*.md', 'docs/**/*.md'])
      .filter((file) => !file.startsWith('docs/adr/0') && file !== 'CHANGELOG.md')
      .sort()
      .flatMap(brokenIn),
    ...dependencyTable(),
  ];
}
