/** The code of the edge functions has to run without child processes, native code and types. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { importGraph } from '../../scripts/import-graph.ts';

const ENTRIES = globSync('supabase/functions/*/index.ts');

/** Loaded by a function when it needs it for the first time. */
const LAZY = ['src/apple/app-store/portable-verifier.ts'];
const APPLE_LIBRARY = '@apple/app-store-server-library';

/** Node's modules that the edge runtime carries and that do something there. */
const ALLOWED = [
  'node:async_hooks',
  'node:buffer',
  'node:crypto',
  'node:dns/promises',
  'node:events',
  'node:fs/promises',
  // As clients only: the runtime itself listens for requests.
  'node:http',
  'node:https',
  // For the temporary folder only: an isolate may learn nothing of the system but its host name.
  'node:os',
  'node:path',
  'node:process',
  'node:stream',
  'node:timers/promises',
  'node:url',
  'node:util',
  'node:zlib',
];
/** Optional: one file uses them if they work, and does without them otherwise. */
const OPTIONAL = ['src/platform/garbage-collection.ts: node:v8', 'src/platform/garbage-collection.ts: node:vm'];
/** Globals of Node that Deno 2.1 does not have, or has with fewer features. */
const NODE_ONLY: [RegExp, string][] = [
  [/\bBuffer\b/, "import { Buffer } from 'node:buffer'"],
  [/\bset(?:Timeout|Interval)\([^;]*?\)\.(?:un)?ref\(/s, 'clear the timer instead: it is a number there'],
  [/\bsetImmediate\(/, 'setTimeout'],
  [/\b(?:__dirname|__filename|require)\b/, 'import.meta'],
];

const withoutComments = (source: string) => source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');

test('the functions load only those Node modules that the edge runtime has', () => {
  const { builtins, files } = importGraph([...ENTRIES, ...LAZY], { staticOnly: true });
  assert.ok(files.length > 100 && files.includes('src/features/generations/begin.ts'), 'they import the whole API');
  const foreign = builtins.filter(({ name }) => !ALLOWED.includes(name)).map(({ from, name }) => `${from}: ${name}`);
  assert.deepEqual(
    foreign.filter((line) => !OPTIONAL.includes(line)),
    [],
  );
  assert.ok(
    builtins.some(({ name }) => name === 'node:crypto'),
    'the functions load some of them',
  );
});

test('the functions use no global that only Node has', () => {
  const found: string[] = [];
  for (const file of importGraph([...ENTRIES, ...LAZY], { staticOnly: true }).files) {
    const code = withoutComments(readFileSync(file, 'utf8'));
    for (const [pattern, instead] of NODE_ONLY) {
      const isImported = /\bimport\b[^;]*\bBuffer\b[^;]*'node:buffer'/.test(code) && pattern.source.includes('Buffer');
      // Types are removed before the code runs.
      if (pattern.test(code) && !isImported && file !== 'src/db/generated.ts') found.push(`${file}: ${instead}`);
    }
  }
  assert.deepEqual(found, []);
});

test('no simulator, no test and no package for Node alone is deployed with the functions', () => {
  const { files, packages } = importGraph(ENTRIES);
  assert.deepEqual(
    files.filter((file) => !/^(?:src|supabase)\//.test(file)),
    [],
  );
  const names = new Set(packages.map(({ name }) => name));
  for (const native of ['@napi-rs/webcodecs', '@napi-rs/canvas', 'pino', '@hono/node-server', APPLE_LIBRARY]) {
    assert.equal(names.has(native), false, native);
  }
});

test('the configuration names every function, and the import map every package at its locked version', () => {
  const config = readFileSync('supabase/config.toml', 'utf8');
  for (const entry of ENTRIES) {
    const name = entry.split('/').at(-2);
    assert.match(
      config,
      new RegExp(`^\\[functions\\.${name}\\]\\nverify_jwt = false\\nimport_map = "./functions/deno.json"$`, 'm'),
    );
  }
  const { imports } = JSON.parse(readFileSync('supabase/functions/deno.json', 'utf8'));
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  for (const { name } of importGraph(ENTRIES).packages) {
    assert.equal(imports[name], `npm:${name}@${lock.packages[`node_modules/${name}`].version}`);
  }
});

test('public routes are marked as such', () => {
  const config = readFileSync('supabase/config.toml', 'utf8');
  const isPublic = (name: string) => config.includes(`# Public: /functions/v1/${name}\n[functions.${name}]`);
  for (const name of ['device-check', 'get-models']) assert.ok(isPublic(name), name);
  for (const name of ['generate-video', 'get-user-profile', 'job-events']) assert.equal(isPublic(name), false, name);
});
