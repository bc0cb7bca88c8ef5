import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { loadDevelopmentSecrets } from '../../src/entry/development-secrets.ts';
import { StartupError } from '../../src/kernel/startup-error.ts';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'secrets-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function revealed(dataDir: string) {
  const { jwtPrivateKey, secretKey } = await loadDevelopmentSecrets(dataDir);
  return { jwt: jwtPrivateKey.reveal(), secret: secretKey.reveal() };
}

test('a restart finds the secrets that the first start made, readable by their owner only', async (t) => {
  const dataDir = join(await folder(t), 'made', 'on', 'the', 'way');
  const first = await revealed(dataDir);
  assert.equal(Buffer.from(first.secret, 'hex').byteLength, 32);
  assert.equal(first.jwt.crv, 'P-256');
  assert.deepEqual(await revealed(dataDir), first);
  const files = await readdir(dataDir);
  assert.deepEqual(files.sort(), ['development-jwt-key.pem', 'development-secret-key']);
  for (const file of files) assert.equal((await stat(join(dataDir, file))).mode & 0o777, 0o600);
  assert.match(await readFile(join(dataDir, 'development-jwt-key.pem'), 'utf8'), /^-----BEGIN PRIVATE KEY-----\n/);
});

test('concurrent callers get the same secrets', async (t) => {
  const dataDir = await folder(t);
  const all = await Promise.all(Array.from({ length: 20 }, () => revealed(dataDir)));
  for (const one of all) assert.deepEqual(one, all[0]);
  assert.equal((await readdir(dataDir)).length, 2);
});

test('concurrent processes get the same secrets', async (t) => {
  const dataDir = await folder(t);
  const module = new URL('../../src/entry/development-secrets.ts', import.meta.url).href;
  const script = `
    const { loadDevelopmentSecrets } = await import(${JSON.stringify(module)});
    process.stdin.once('data', async () => {
      const { jwtPrivateKey, secretKey } = await loadDevelopmentSecrets(${JSON.stringify(dataDir)});
      console.log(jwtPrivateKey.reveal().kid, secretKey.reveal());
      process.exit(0);
    });
    console.error('ready');`;
  const children = [0, 1].map(() => spawn(process.execPath, ['--input-type=module', '--eval', script]));
  t.after(() => children.map((child) => child.kill('SIGKILL')));
  await Promise.all(children.map((child) => once(child.stderr, 'data')));
  const outputs = children.map((child) => text(child.stdout));
  for (const child of children) child.stdin.end('go\n');
  const [one, other] = await Promise.all(outputs);
  assert.match(one ?? '', /^\S{43} [0-9a-f]{64}\n$/);
  assert.equal(one, other);
});

test('a corrupt file fails the start with its path, and is not changed', async (t) => {
  for (const file of ['development-jwt-key.pem', 'development-secret-key']) {
    for (const content of ['', 'half a ke']) {
      const dataDir = await folder(t);
      await writeFile(join(dataDir, file), content);
      await assert.rejects(loadDevelopmentSecrets(dataDir), (error: unknown) => {
        assert.ok(error instanceof StartupError);
        assert.ok(error.message.includes(join(dataDir, file)), error.message);
        return true;
      });
      assert.equal(await readFile(join(dataDir, file), 'utf8'), content);
    }
  }
});

test('a folder that cannot be made fails the start with a message that names it', async (t) => {
  const dataDir = join(await folder(t), 'a-file');
  await writeFile(dataDir, '');
  await assert.rejects(loadDevelopmentSecrets(dataDir), (error: unknown) => {
    assert.ok(error instanceof StartupError && error.message.includes(dataDir));
    return true;
  });
});
