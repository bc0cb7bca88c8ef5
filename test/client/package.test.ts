/** The package of `npm pack` in an empty project: used from Node, from Deno and in a browser's bundle; and its types. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { DENO_VERSIONS, denoBinary } from '../door/support/deno.ts';
import { chromiumPath, isBrowserRequired, NO_CHROMIUM } from '../support/chromium.ts';
import { type SharedServer, useSharedServer } from '../support/server-on-database.ts';

const CLIENT = fileURLToPath(new URL('../../client/', import.meta.url));
const OUTPUT = 'completed https?://.+[.]mp4.* 9';

/** The whole flow; calls `report` with the outcome. */
const flow = (report: string, url: string) => `
import { createClient } from '@rendio/client';
const rendio = createClient({ url: ${url} });
const { credits_remaining } = await rendio.onboard();
const model = (await rendio.models()).find(({ provider }) => provider === 'sandbox');
const seen = [];
const job = await rendio.generate(
  { model_id: model.id, prompt: 'a packed lunch', settings: { duration: 1, resolution: '360p' } },
  { onProgress: ({ status }) => seen.push(status) },
);
if (credits_remaining !== 10 || seen.length === 0) throw new Error('no progress');
${report}(job.status + ' ' + job.video_url + ' ' + (await rendio.credits()));
`;

let server: SharedServer;
let project: string;
let files: string[];

/** A program's standard output; of this process's environment it gets only PATH and HOME. */
async function run(file: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { PATH = '', HOME = tmpdir() } = process.env;
  const { stdout } = await promisify(execFile)(file, args, {
    cwd: project,
    env: { PATH, HOME, NO_COLOR: '1', ...env },
  });
  return stdout;
}

before(async () => {
  project = await mkdtemp(join(tmpdir(), 'rendio-project-'));
  const starting = useSharedServer();
  const packed = JSON.parse(await run('npm', ['pack', CLIENT, '--json', '--pack-destination', project]));
  const [{ filename, files: entries }] = packed;
  files = entries.map(({ path }: { path: string }) => path);
  await writeFile(join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }');
  await run('npm', ['install', join(project, filename), '--offline', '--no-audit', '--no-fund']);
  server = await starting;
});
after(async () => {
  await server?.stop();
  if (project) await rm(project, { recursive: true, force: true });
});

test('contains the needed files and no others', () => {
  const unexpected = files.filter(
    (file) =>
      !/^(?:LICENSE|README[.]md|package[.]json|dist\/cjs\/package[.]json|dist\/(?:[a-z]+\/){0,2}[\w-]+(?:[.]d)?[.](?:js|ts))$/.test(
        file,
      ),
  );
  assert.deepEqual(unexpected, []);
  for (const file of [
    'LICENSE',
    'README.md',
    'dist/index.js',
    'dist/index.d.ts',
    'dist/cjs/index.js',
    'dist/cjs/index.d.ts',
  ])
    assert.ok(files.includes(file), file);
});

test('makes a video from Node', async () => {
  await writeFile(join(project, 'use.mjs'), flow('console.log', `'${server.url}'`));
  assert.match(await run(process.execPath, ['use.mjs']), new RegExp(OUTPUT));
});

test('is loaded by require, with the same exports as by import', async () => {
  const list =
    "console.log(Object.keys(client).filter((name) => name !== 'default' && name !== '__esModule').sort().join())";
  await writeFile(join(project, 'use.cjs'), `const client = require('@rendio/client'); ${list}`);
  await writeFile(join(project, 'list.mjs'), `import * as client from '@rendio/client'; ${list}`);
  const required = await run(process.execPath, ['use.cjs']);
  assert.match(required, /createClient/);
  assert.equal(required, await run(process.execPath, ['list.mjs']));
});

for (const version of DENO_VERSIONS) {
  test(`makes a video from Deno, ${version}`, async () => {
    await writeFile(join(project, 'use.deno.mjs'), flow('console.log', `'${server.url}'`));
    const flags = ['--cached-only', '--node-modules-dir=manual', `--allow-net=${new URL(server.url).host}`];
    const env = { DENO_DIR: join(project, '.deno') };
    assert.match(await run(denoBinary(version), ['run', ...flags, 'use.deno.mjs'], env), new RegExp(OUTPUT));
  });
}

test('makes a video from a bundle in a page of another origin', {
  skip: !chromiumPath && !isBrowserRequired,
}, async () => {
  assert.ok(chromiumPath, NO_CHROMIUM);
  await writeFile(join(project, 'page.js'), flow('globalThis.report', `'${server.url}'`));
  await build({
    root: project,
    configFile: false,
    logLevel: 'error',
    build: { lib: { entry: 'page.js', formats: ['es'], fileName: 'page' }, outDir: 'bundle', target: 'es2022' },
  });
  const pages = createServer(async (request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(
      isScript ? await readFile(join(project, 'bundle/page.js')) : '<script type="module" src="/page.js"></script>',
    );
  }).listen(0, '127.0.0.1');
  const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--headless=new', '--no-sandbox'] });
  try {
    const page = await browser.newPage();
    const reported = Promise.withResolvers<string>();
    page.on('pageerror', reported.reject);
    await page.exposeFunction('report', reported.resolve);
    await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`);
    assert.match(await reported.promise, new RegExp(OUTPUT));
    assert.equal(await page.evaluate(() => JSON.parse(localStorage.getItem('rendio.session') ?? '{}').is_guest), true);
  } finally {
    await browser.close();
    pages.close();
  }
});

/** The first program of a document. */
async function programIn(file: string): Promise<string> {
  const program = /```ts\n([\s\S]+?)```/.exec(await readFile(file, 'utf8'))?.[1];
  assert.ok(program, file);
  return program;
}

test('has types that an app’s compiler accepts, however it resolves modules; the READMEs’ programs compile', async () => {
  const tsc = createRequire(join(CLIENT, 'package.json')).resolve('typescript/bin/tsc');
  const use = `
    import { createClient, GenerationError, type Job, type JobEvent } from '@rendio/client';
    const rendio = createClient({ url: 'https://api.example.com', language: () => 'tr' });
    const job: Promise<Job> = rendio.generate({ model_id: 'x', prompt: 'y' }, { onProgress: ({ progress }) => progress });
    job.catch((error: unknown) => error instanceof GenerationError && error.job.prompt.length);
    export const read = (event: JobEvent): number => (event.type === 'credits' ? event.credits_remaining : 0);
    // @ts-expect-error
    rendio.submit({ prompt: 'no model' });
  `;
  const sources = ['use.ts', 'use-node10.ts', 'use-bundler.ts', 'use-commonjs.cts'];
  for (const source of sources) await writeFile(join(project, source), use);
  await writeFile(join(project, 'readme.mts'), await programIn(join(CLIENT, '../README.md')));
  await writeFile(join(project, 'client-readme.mts'), await programIn(join(CLIENT, 'README.md')));
  const compile = (...args: string[]) =>
    run(process.execPath, [tsc, '--noEmit', ...args]).catch(({ stdout }) => assert.fail(stdout));
  // The package's types are checked, the compiler's libraries are not.
  const flags = ['--strict', '--skipDefaultLibCheck', '--target', 'es2022'];
  await Promise.all([
    compile(...flags, '--module', 'nodenext', 'use.ts', 'use-commonjs.cts', 'readme.mts', 'client-readme.mts'),
    compile(...flags, '--module', 'esnext', '--moduleResolution', 'bundler', 'use-bundler.ts'),
    // The oldest libraries too: without a target they are those of ES5.
    compile('--module', 'commonjs', '--moduleResolution', 'node10', 'use-node10.ts'),
  ]);
});
