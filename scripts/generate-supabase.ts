/** Generates the files under `supabase/`: a folder for each function, their imports, the configuration, the migrations. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import type { Generated } from './generated-file.ts';
import { importGraph } from './import-graph.ts';
import { generateMigrations } from './supabase-migrations.ts';

type OpenApi = { paths: Record<string, Record<string, { security?: unknown[] }>> };
type EdgeFunction = { name: string; isPublic: boolean; serves: string };

const FUNCTIONS = 'supabase/functions';
const PREFIX = '/functions/v1/';
/** Functions that are written by hand. */
const OWN = ['tick'];
/** Paths of a process that stays up, which a function is not. */
const OF_PROCESSES = ['metrics'];
/** What Supabase allows as the name of a function. Other paths get no function. */
const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;

const HEAD = 'Written by `npm run generate` from docs/openapi.json.';

export async function generateSupabase(openApi: unknown): Promise<Generated[]> {
  const functions = functionsOf(asOpenApi(openApi));
  const folders = functions.map(({ name, serves }) => ({
    file: `${FUNCTIONS}/${name}/index.ts`,
    text: `// ${HEAD} Serves ${serves}.\nimport { serve } from '../_door.ts';\n\nserve('${name}');\n`,
  }));
  const wanted = new Set([...folders.map(({ file }) => file), ...OWN.map((name) => `${FUNCTIONS}/${name}/index.ts`)]);
  const leftOver = globSync(`${FUNCTIONS}/*/index.ts`).filter((file) => !wanted.has(file.replaceAll('\\', '/')));
  return [
    ...folders,
    ...leftOver.map((file) => ({ file, text: null })),
    { file: `${FUNCTIONS}/deno.json`, text: denoJson() },
    { file: 'supabase/config.toml', text: configToml(functions) },
    ...(await generateMigrations()),
  ];
}

function asOpenApi(document: unknown): OpenApi {
  if (!document || typeof document !== 'object' || !('paths' in document)) throw new TypeError('no OpenAPI document');
  // Our own server has made it.
  return document as OpenApi;
}

/** One for each name under `/functions/v1/`, and one for each other first segment of a path. */
function functionsOf({ paths }: OpenApi): EdgeFunction[] {
  const found = new Map<string, EdgeFunction>();
  for (const [path, operations] of Object.entries(paths)) {
    const isNamed = path.startsWith(PREFIX);
    const name = (isNamed ? path.slice(PREFIX.length) : path.slice(1)).split('/')[0] ?? '';
    if (!NAME.test(name) || OF_PROCESSES.includes(name)) continue;
    const isPublic = Object.values(operations).every(({ security }) => (security?.length ?? 0) === 0);
    const before = found.get(name);
    const serves = isNamed ? path : path.slice(1).includes('/') ? `all of /${name}/` : path;
    found.set(name, { name, serves, isPublic: isPublic && (before?.isPublic ?? true) });
  }
  const whole = {
    name: 'functions',
    serves: `all of ${PREFIX}, for clients whose base URL is the functions’`,
    isPublic: false,
  };
  return [...found.values(), whole].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The packages that the functions' sources import, in the versions of package-lock.json. */
function denoJson(): string {
  const entries = globSync(`${FUNCTIONS}/{_door.ts,tick/index.ts}`);
  const names = new Set(importGraph(entries).packages.map(({ name }) => name));
  const lock: unknown = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const imports: Record<string, string> = {};
  for (const name of [...names].sort()) {
    const specifier = `${name}@${lockedVersion(lock, name)}`;
    imports[name] = `npm:${specifier}`;
    imports[`${name}/`] = `npm:/${specifier}/`;
  }
  return `${JSON.stringify({ imports }, null, 2)}\n`;
}

function lockedVersion(lock: unknown, name: string): string {
  const version = Object(Object(Object(lock).packages)[`node_modules/${name}`]).version;
  if (typeof version !== 'string') throw new Error(`${name} is imported by an edge function, but is not in the lock`);
  return version;
}

function configToml(functions: EdgeFunction[]): string {
  const section = ({ name, isPublic, serves }: EdgeFunction) =>
    [
      `# ${isPublic ? 'Public' : 'Asks for an access token'}: ${serves}`,
      `[functions.${name}]`,
      'verify_jwt = false',
      'import_map = "./functions/deno.json"',
      '',
    ].join('\n');
  const tick = { name: 'tick', isPublic: false, serves: 'background work, for callers that know its secret' };
  if (!existsSync(`${FUNCTIONS}/tick/index.ts`)) throw new Error('supabase/functions/tick is missing');
  return `${CONFIG_HEAD}\n${[...functions, tick].map(section).join('\n')}`;
}

const CONFIG_HEAD = `# ${HEAD}
project_id = "rendio"

[db]
# The SQL is written for PostgreSQL 15 and newer.
major_version = 17

[db.seed]
# The catalogue is part of the migrations.
enabled = false

# Accounts and sessions are Rendio's own. Sign-up is off here, because its tokens would be signed with the same key.
[auth]
enable_signup = false
enable_anonymous_sign_ins = false

[edge_runtime]
deno_version = 2

# verify_jwt is off for every function, on purpose. The functions verify access tokens themselves, with the key that signs
# them, and answer errors in the format and the languages that apps expect. The gateway's check would answer first, with
# another body; it would reject sb_publishable_ keys, which are no JWTs; and a public function has nothing to check.
`;
