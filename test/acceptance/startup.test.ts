/** A server that cannot start reports all reasons in plain sentences, and exits with 1. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createEmptyDatabase, createTestDatabase, ownerPool } from '../support/postgres.ts';
import { startTestServer } from '../support/server.ts';
import { call } from './support/api.ts';
import { newGuest } from './support/guest.ts';
import { runFailingStart, type Start } from './support/start.ts';
import { freePort, OWN_SERVER } from './support/target.ts';
import { newKey } from './support/tokens.ts';

/** Asserts exit code 1, an output with all of these words, and no stack trace. */
function assertRefuses({ code, output }: Start, ...words: RegExp[]): void {
  assert.equal(code, 1, output);
  for (const word of words) assert.match(output, word);
  assert.doesNotMatch(output, /^\s+at .*[:(]\d+/m, 'no stack');
  assert.doesNotMatch(output, /http:\/\/localhost/, 'no banner');
}

describe('a server that cannot start', { ...OWN_SERVER, concurrency: 2 }, () => {
  test('in production, without any configuration: names everything that is missing at once', async () => {
    const start = await runFailingStart({ ENVIRONMENT: 'production' });
    const names = ['PUBLIC_URL', 'DATABASE_URL', 'JWT_PRIVATE_KEY', 'SECRET_KEY', 'APPLE_BUNDLE_ID', 'APPLE_TEAM_ID'];
    const keys = [
      'APPLE_DEVICECHECK_KEY_ID',
      'APPLE_DEVICECHECK_PRIVATE_KEY',
      'FALAI_API_KEY',
      'RUNWAY_API_KEY',
      'PIKA_API_KEY',
    ];
    assertRefuses(start, ...[...names, ...keys].map((name) => new RegExp(`\\b${name}\\b`)));
    assert.ok(start.seconds < 25, `${start.seconds} s`);
  });

  test('in production, with plain http: reports it beside what is missing', async () => {
    const start = await runFailingStart({ ENVIRONMENT: 'production', PUBLIC_URL: 'http://api.example.com' });
    assertRefuses(start, /PUBLIC_URL.*https/, /DATABASE_URL/, /SECRET_KEY/);
  });

  test('with many invalid values: names each of them at once, and shows no secret', async () => {
    const secret = 'a-short-secret-42';
    const start = await runFailingStart({
      PORT: 'eighty',
      ENVIRONMENT: 'prod',
      WORKER: 'maybe',
      LOG_LEVEL: 'loud',
      SECRET_KEY: secret,
      JWT_PRIVATE_KEY: `-----BEGIN PRIVATE KEY-----\\n${secret}\\n-----END PRIVATE KEY-----`,
      DATABASE_URL: `mysql://root:${secret}@localhost/x`,
      RATE_LIMIT_GENERATIONS_PER_HOUR: '-5',
      DEVICECHECK_FALLBACK: 'allow',
      GENERATION_DEADLINE_SECONDS: '0',
      APPLE_KEY_ID: 'KEY1234567',
      SUPABASE_URL: 'https://x.supabase.co',
    });
    const names = [
      'PORT',
      'ENVIRONMENT',
      'WORKER',
      'LOG_LEVEL',
      'SECRET_KEY',
      'JWT_PRIVATE_KEY',
      'DATABASE_URL',
      'RATE_LIMIT_GENERATIONS_PER_HOUR',
      'DEVICECHECK_FALLBACK',
      'GENERATION_DEADLINE_SECONDS',
      'APPLE_APP_ID',
      'APPLE_ISSUER_ID',
      'APPLE_PRIVATE_KEY',
      'SUPABASE_ANON_KEY',
      'SUPABASE_SERVICE_ROLE_KEY',
    ];
    assertRefuses(start, ...names.map((name) => new RegExp(`^\\s*${name}\\b`, 'm')));
    assert.equal(start.output.includes(secret), false);
  });

  test('with a signing key of another type', async () => {
    for (const key of [
      'nonsense',
      '{"kty":"oct","k":"AAAA"}',
      newKey().publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    ]) {
      assertRefuses(await runFailingStart({ JWT_PRIVATE_KEY: key }), /JWT_PRIVATE_KEY/);
    }
  });

  test('on a port that is taken', async () => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    try {
      const start = await runFailingStart({ PORT: String(port) });
      assertRefuses(start, new RegExp(`\\b${port}\\b`), /PORT/);
    } finally {
      other.close();
    }
  });

  test('in a data folder that cannot be made, written or read', async () => {
    assertRefuses(await runFailingStart({ DATA_DIR: '/dev/null/rendio' }), /\/dev\/null\/rendio/, /DATA_DIR/);
    assertRefuses(await runFailingStart({ DATA_DIR: '/proc/nope' }), /\/proc\/nope/, /DATA_DIR/);
    const inFile = async (folder: string) => writeFile(join(folder, 'postgres'), 'not a folder');
    assertRefuses(await runFailingStart({}, inFile), /data folder/i);
    const inMedia = async (folder: string) => writeFile(join(folder, 'media'), 'not a folder');
    assertRefuses(await runFailingStart({}, inMedia), /data folder.*media.*DATA_DIR/);
    if (process.getuid?.() !== 0) assertRefuses(await runFailingStart({ DATA_DIR: '/rendio' }), /DATA_DIR/);
  });

  test('with a data folder whose secrets are corrupt: names the file, and overwrites nothing', async () => {
    for (const [name, text] of [
      ['development-jwt-key.pem', 'not a key'],
      ['development-jwt-key.pem', ''],
      ['development-secret-key', 'not a secret'],
    ] as const) {
      const start = await runFailingStart({}, (folder) => writeFile(join(folder, name), text));
      assertRefuses(start, new RegExp(name.replaceAll('.', '\\.')));
    }
    const asFolder = await runFailingStart({}, (folder) => mkdir(join(folder, 'development-jwt-key.pem')));
    assertRefuses(asFolder, /development-jwt-key\.pem/);
  });

  test('without its database: reports it soon, without the password', async () => {
    const port = await freePort();
    const start = await runFailingStart({ DATABASE_URL: `postgres://owner:hunter2hunter2@127.0.0.1:${port}/rendio` });
    assertRefuses(start, /database/i);
    assert.doesNotMatch(start.output, /hunter2/);
    assert.ok(start.seconds < 25, `${start.seconds} s`);
  });

  test('with one of two database URLs wrong: names the variable that is wrong, also if it leads to another database', async () => {
    await using database = await createTestDatabase();
    await using empty = await createEmptyDatabase();
    const nowhere = `postgres://owner:hunter2hunter2@127.0.0.1:${await freePort()}/rendio`;
    const direct = await runFailingStart({ DATABASE_URL: database.url, DATABASE_DIRECT_URL: nowhere });
    assertRefuses(direct, /named by DATABASE_DIRECT_URL cannot be used/);
    for (const url of [nowhere, empty.url]) {
      const start = await runFailingStart({ DATABASE_URL: url, DATABASE_DIRECT_URL: database.url });
      assertRefuses(start, /named by DATABASE_URL cannot be used/);
      assert.doesNotMatch(start.output, /hunter2/);
    }
  });

  test('outside development, with a disk that is not its database’s: names DATA_DIR', async () => {
    await using database = await createTestDatabase();
    const owner = ownerPool(database.url, 1);
    await owner.query('update settings set media_store_id = gen_random_uuid()').finally(() => owner.end());
    const secrets = { JWT_PRIVATE_KEY: newKey().pem, SECRET_KEY: randomBytes(32).toString('hex') };
    const start = await runFailingStart({ ENVIRONMENT: 'staging', DATABASE_URL: database.url, ...secrets });
    assertRefuses(start, /another media store/, /DATA_DIR/);
  });

  test('on the data folder of a running server, whose files no other user can read', async () => {
    await using server = await startTestServer({ env: { WORKER: 'off' }, isFirstStart: true });
    const start = await runFailingStart({ DATA_DIR: server.dataDir });
    assertRefuses(start, /another|already|in use/i);
    assert.equal((await call(server.url, 'GET', '/readyz')).status, 200, 'the running server goes on');
    // The simulated DeviceCheck writes a file for the device.
    await newGuest(server.url);
    for (const name of ['', ...(await readdir(server.dataDir, { recursive: true }))]) {
      const found = await lstat(join(server.dataDir, name)).catch(() => null);
      if (found && !found.isSymbolicLink()) assert.equal(found.mode & 0o077, 0, name);
    }
  });
});
