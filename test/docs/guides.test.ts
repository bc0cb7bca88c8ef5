import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { drawImage } from '../support/images.ts';
import { type SharedServer, useSharedServer } from '../support/server-on-database.ts';
import { CLIENT, readGuides } from './guides.ts';

const GUIDE_SERVER = 'http://localhost:8787';
/** A guide takes a few seconds; the rest is for a very busy machine. */
const RUN_MS = 120_000;
const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
const TSCONFIG = fileURLToPath(new URL('../../tsconfig.json', import.meta.url));
const STORAGE = fileURLToPath(import.meta.resolve('@supabase/storage-js'));
const WEBHOOKS = fileURLToPath(import.meta.resolve('standardwebhooks'));
const OPENAPI = fileURLToPath(new URL('../../docs/openapi.json', import.meta.url));

const hasCurl = spawnSync('bash', ['-c', 'command -v curl base64']).status === 0;
const guides = readGuides();

/** What a guide's code prints in the terminal. */
const OUTPUT: Record<string, { sh: RegExp[]; ts: RegExp[] }> = {
  accounts: {
    sh: [/"is_current":true/, /\}10\n\{"success":true\}401\n\{"success":true\}$/],
    ts: [
      /^onboarded true$/m,
      /^\d{4}-\S+Z here$/m,
      /^export: exported_at, user, jobs, transactions, purchases, uploads, sessions$/m,
      /^deleted null\nno account: deleted$/m,
    ],
  },
  'first-video': {
    sh: [/^completed$/m, /"credits_remaining":9/],
    ts: [/^completed http\S+\.mp4\?token=/m, /^left: 9\n-1 video_generation\n10 initial_grant$/m],
  },
  'animate-an-image': {
    sh: [/"Key":"user_uploads\/[0-9a-f-]{36}\/sunset\.jpg"/, /^completed$/m],
    ts: [
      /^uploaded (\d+) of \1 bytes\ncompleted http\S+\.mp4\?token=/m,
      /^completed image\/jpeg\nERR_4015 \S+/m,
      /^stored: true null$/m,
    ],
  },
  errors: {
    sh: [
      /"ERR_4005","message":"Oturumunuzu bulamadık\. Devam etmek için lütfen uygulamayı yeniden açın\.","details":\{\}/,
      /“status” must be one of these: pending, processing, completed, or failed\./,
      /x-request-id: my-own-id-42\r?\nERR_4007$/im,
    ],
    ts: [
      /^ERR_4003 Lütfen videonuzu en az 3, en fazla 2\.000 karakterle anlatın\./m,
      /^failed with ERR_5003: /m,
      /^refused with ERR_4003: /m,
    ],
  },
  idempotency: {
    sh: [
      /200 OK[\s\S]*(\{"job_id"[^\n]+\})[\s\S]*200 OK[\s\S]*x-idempotent-replay: true[\s\S]*\1/i,
      /"credits_remaining":9/,
      /422[\s\S]*ERR_4009/,
    ],
    ts: [/^true left: 9$/m, /^unanswered: null$/m],
  },
  events: {
    sh: [/^event: (queued|processing|completed)$/m, /^event: completed$/m],
    ts: [/^completed true$/m, /^the connection is /m],
  },
  ios: { sh: [/"credits_remaining":10/], ts: [/credits_remaining: 10,\s+is_new: true/] },
  purchases: {
    sh: [
      /"product_id":"com\.rendio\.credits\.10"/,
      /"credits_remaining":20,"total_credits":20\}\{"success":true,"credits_added":0/,
      /\{"credits_remaining":15\}\n?$/,
    ],
    ts: [
      /product_id: 'com\.rendio\.credits\.10'/,
      /^bought, now: 20\nfinish: true\nnot credited: ERR_4011\nfinish: true\n-5 apple_refund\n10 iap_purchase\n10 initial_grant$/m,
    ],
  },
  webhooks: {
    sh: [/^v1,SgIKLQg9zd84EsSoHGbsIImIMHG2JlxwJMWbZ12Mbdc=\n?$/],
    ts: [/^credits\.changed -4 6\nnew: 204 again: 204 forged: 401$/m],
  },
  push: {
    sh: [/^\{"success":true\}\{"success":true\}$/m],
    ts: [/^Your video is ready \| Tap to watch it\. true$/m],
  },
  'web-shop': { sh: [/"ERR_4017".*"feature":"web-shop"/], ts: [/^This server has no web shop\.\nnow: 10$/m] },
};

let server: SharedServer;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rendio-guides-'));
  server = await useSharedServer();
});
after(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The code with this server's URL and the packages' paths on this machine. */
function adapted(code: string): string {
  return code
    .replaceAll(GUIDE_SERVER, server.url)
    .replaceAll("'@rendio/client'", `'${CLIENT}'`)
    .replaceAll("'@supabase/storage-js'", `'${STORAGE}'`)
    .replaceAll("'standardwebhooks'", `'${WEBHOOKS}'`);
}

/** A folder to run code in, with the image that the guide expects there. */
async function createFolder(name: string): Promise<string> {
  const cwd = await mkdtemp(join(folder, `${name}-`));
  await writeFile(join(cwd, 'sunset.jpg'), await drawImage(1280, 720));
  return cwd;
}

async function run(file: string, args: string[], cwd: string): Promise<string> {
  const env = { PATH: process.env.PATH, NO_COLOR: '1' };
  const { stdout, stderr } = await promisify(execFile)(file, args, { cwd, env, timeout: RUN_MS });
  return `${stdout}${stderr}`;
}

describe('the guides', { concurrency: 3 }, () => {
  test('all run, and have code for curl and for the client', () => {
    const withCode = guides.filter(({ name }) => name !== 'README');
    assert.deepEqual(
      withCode.map(({ name }) => name),
      Object.keys(OUTPUT).sort(),
    );
    for (const { name, code, languages } of withCode) {
      assert.ok(code('sh') && code('ts'), name);
      assert.deepEqual(
        languages.filter((language) => !['sh', 'ts', 'swift', 'json'].includes(language)),
        [],
        name,
      );
    }
  });

  for (const { name, code } of guides.filter((guide) => guide.code('ts'))) {
    test(`${name}: the TypeScript code prints what the guide promises`, async () => {
      const cwd = await createFolder(name);
      const file = join(cwd, `${name}.ts`);
      await writeFile(file, adapted(code('ts')));
      const output = await run(process.execPath, [file], cwd);
      for (const pattern of OUTPUT[name]?.ts ?? []) assert.match(output, pattern);
    });
  }

  for (const { name, code } of guides.filter((guide) => guide.code('sh'))) {
    const options = hasCurl ? {} : { skip: 'curl is not installed' };
    test(`${name}: the shell code prints what the guide promises`, options, async () => {
      const cwd = await createFolder(name);
      const output = await run('bash', ['--norc', '-c', `set -euo pipefail\n${adapted(code('sh'))}`], cwd);
      for (const pattern of OUTPUT[name]?.sh ?? []) assert.match(output, pattern);
    });
  }

  test('compile with the client’s types', async () => {
    const files = guides.filter((guide) => guide.code('ts'));
    const types = await mkdtemp(join(folder, 'types-'));
    await Promise.all(files.map(({ name, code }) => writeFile(join(types, `${name}.ts`), adapted(code('ts')))));
    const compilerOptions = { typeRoots: [join(TSCONFIG, '../node_modules/@types')] };
    const config = { extends: TSCONFIG, compilerOptions, include: ['*.ts'] };
    await writeFile(join(types, 'package.json'), '{"type":"module"}');
    await writeFile(join(types, 'tsconfig.json'), JSON.stringify(config));
    await run(process.execPath, [TSC, '-p', types], types).catch(({ stdout }) => assert.fail(stdout));
  });
});

test('the Swift code calls existing endpoints, and reads and sends existing fields', async () => {
  const openapi = await readFile(OPENAPI, 'utf8');
  const { paths } = JSON.parse(openapi) as { paths: Record<string, unknown> };
  const swift = guides.map(({ code }) => code('swift')).join('\n');
  const called = [...swift.matchAll(/functions\.invoke\(\s*"([^"]+)"/g)].map(([, name]) => `/functions/v1/${name}`);
  assert.deepEqual(
    [...new Set(called)].filter((path) => !paths[path]),
    [],
  );
  assert.equal(called.length, 12);

  // Stored properties of the encoded and decoded structs.
  const structs = [...swift.matchAll(/struct (\w+): (?:Encodable|Decodable) \{([\s\S]*?)^\}/gm)];
  assert.ok(structs.length >= 7);
  const fields = structs.flatMap(([, , body = '']) => [...body.matchAll(/\blet (\w+):/g)].map(([, field]) => field));
  const unknown = fields.filter((field) => !openapi.includes(`"${field}": {`));
  assert.deepEqual(unknown, []);
});
