/** `npm run doctor` finds what is wrong with a configuration, names the variable, and says what to do. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { before, beforeEach, describe, it } from 'node:test';
import type pg from 'pg';
import { type ExamineOptions, examine } from '../../src/entry/doctor/examine.ts';
import type { Finding } from '../../src/entry/doctor/finding.ts';
import { systemNetwork } from '../../src/entry/doctor/network.ts';
import { textReport } from '../../src/entry/doctor/report.ts';
import { runDoctor } from '../../src/entry/doctor/run.ts';
import { makeCertificate } from '../support/apple-chain.ts';
import { startPgBouncer, WITH_PGBOUNCER } from '../support/pgbouncer.ts';
import {
  beforeTeardown,
  createEmptyDatabase,
  createTestDatabase,
  ownerPool,
  type TestDatabase,
} from '../support/postgres.ts';
import {
  createDoctorWorld,
  type DoctorWorld,
  type Env,
  PUBLIC_HOST,
  SUPABASE_HOST,
  supabaseKey,
} from './doctor-world.ts';

const HOUR_MS = 3_600_000;

let outside: DoctorWorld;
let database: TestDatabase;
let owner: pg.Pool;
before(async () => {
  outside = await createDoctorWorld();
  database = await createTestDatabase();
  owner = ownerPool(database.url, 1);
});
beforeEach(() => outside.reset());
beforeTeardown(async () => {
  await owner.end();
  await database[Symbol.asyncDispose]();
  await outside[Symbol.asyncDispose]();
});

type Group = keyof DoctorWorld['groups'];

/** A configuration of staging with these groups alone: each is in working order. */
function staging(...groups: Group[]): Env {
  return Object.assign({}, outside.groups.server, ...groups.map((group) => outside.groups[group]));
}

function development(env: Env = {}): Env {
  return { DATA_DIR: join(outside.dataDir, 'data'), PORT: '0', ...env };
}

function production(...groups: Group[]): Env {
  return { ...staging('providers', 'apple', ...groups), ENVIRONMENT: 'production' };
}

const withDatabase = (env: Env): Env => ({ ...env, DATABASE_URL: database.url });

type Options = Pick<Partial<ExamineOptions>, 'limits'> & { aheadMs?: number };

async function examineEnv(env: Env, { aheadMs = 0, ...options }: Options = {}): Promise<Finding[]> {
  const { fetch, network } = outside;
  const clock = { now: () => new Date(Date.now() + aheadMs) };
  const findings = await examine({ env, fetch, network, clock, ...options });
  const printed = textReport(findings, { isVerbose: true });
  for (const [name, value = ''] of Object.entries(env)) {
    if (/KEY|TOKEN|SECRET|WEBHOOK_URL|DATABASE/.test(name) && !/_ID$/.test(name) && value.length > 8)
      assert.ok(!printed.includes(value), `${name} is printed`);
  }
  return findings;
}

const faultsIn = (findings: Finding[]) => findings.filter(({ level }) => level === 'wrong' || level === 'warning');

type Expected = { [variable: string]: RegExp };

/** The faults are exactly these; each is a line that begins with its variable and says what matches. */
async function assertFinds(
  env: Env,
  expected: Expected,
  options: { level?: Finding['level']; aheadMs?: number } = {},
): Promise<void> {
  const faults = faultsIn(await examineEnv(env, options));
  const said = textReport(faults, { isVerbose: false });
  assert.deepEqual(faults.map(({ name }) => name).sort(), Object.keys(expected).sort(), said);
  for (const [name, words] of Object.entries(expected)) {
    const line = said.split('\n').find((each) => each.startsWith(`${name} `)) ?? '';
    assert.match(line, words);
  }
  for (const { level, mend = '' } of faults) {
    assert.equal(level, options.level ?? 'wrong', said);
    assert.match(mend, /^Example: \S+=|\w+ \w+/, said);
  }
}

function pemOf(namedCurve = 'P-256', type: 'pkcs8' | 'sec1' = 'pkcs8'): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve });
  return privateKey.export({ type, format: 'pem' }).toString();
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

/** A port on which nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a configuration in working order', () => {
  it('development without any: nothing is wrong, and nothing is made', async () => {
    const dataDir = join(outside.dataDir, 'never', 'made');
    assert.deepEqual(faultsIn(await examineEnv({ DATA_DIR: dataDir, PORT: '0' })), []);
    assert.ok(!(await readdir(outside.dataDir)).includes('never'));
    assert.deepEqual(faultsIn(await examineEnv(development({ PUBLIC_URL: 'http://localhost:8787' }))), []);
  });

  it('staging with everything: nothing is wrong, each key is tried, and nothing is left behind', async () => {
    const env = withDatabase({
      ...staging('providers', 'apple', 'stripe', 'telegram', 'receivers', 's3'),
      DATABASE_DIRECT_URL: database.url,
      PIKA_API_KEY: outside.world.fal.credentials.apiKey,
    });
    const findings = await examineEnv(env);
    assert.deepEqual(faultsIn(findings), []);
    const tried = new Set(
      findings.filter(({ problem }) => /accept|takes, gives|leads to/.test(problem)).map(({ name }) => name),
    );
    for (const name of [
      'FALAI_API_KEY',
      'PIKA_API_KEY',
      'RUNWAY_API_KEY',
      'APPLE_PRIVATE_KEY',
      'APPLE_DEVICECHECK_PRIVATE_KEY',
      'APPLE_SIGNIN_PRIVATE_KEY',
      'STRIPE_SECRET_KEY',
      'TELEGRAM_BOT_TOKEN',
      'S3_BUCKET',
      'DATABASE_URL',
      'PUBLIC_URL',
    ])
      assert.ok(tried.has(name), name);
    const untried = findings.filter(({ level }) => level === 'untried').map(({ name }) => name);
    assert.deepEqual(untried, ['APPLE_APNS_PRIVATE_KEY', 'ALERT_WEBHOOK_URL', 'OUTGOING_WEBHOOK_URL']);
    assert.ok(
      findings.some(({ name }) => name === 'clock'),
      'the clock is compared',
    );
    const { fal, runway, deviceCheck } = outside.world;
    assert.deepEqual(
      [await fal.controls.jobs(), await runway.controls.jobs(), await deviceCheck.controls.devices()],
      [[], [], []],
    );
    const { S3_ENDPOINT, S3_BUCKET } = outside.groups.s3;
    assert.doesNotMatch(await (await fetch(`${S3_ENDPOINT}/${S3_BUCKET}?list-type=2`)).text(), /<Key>/);
  });

  it('production on Supabase: nothing is wrong', async () => {
    const env = withDatabase({ ...production('s3', 'supabase'), S3_BUCKET: 'videos' });
    assert.deepEqual(faultsIn(await examineEnv(env)), []);
  });

  it('a database that was never migrated is as good, and stays as it was', async () => {
    await using empty = await createEmptyDatabase();
    assert.deepEqual(faultsIn(await examineEnv({ ...staging(), DATABASE_URL: empty.url })), []);
    const pool = ownerPool(empty.url, 1);
    const { rows } = await pool.query(
      `select nspname from pg_namespace where nspname = 'graphile_worker' or to_regclass('public.schema_history') is not null`,
    );
    await pool.end();
    assert.deepEqual(rows, []);
  });
});

describe('the environment alone', () => {
  const cases: [plant: string, env: () => Env, expected: Expected][] = [
    ['a value of another kind', () => development({ PORT: 'eighty' }), { PORT: /whole number.*PORT=8787/ }],
    ['a misspelt variable', () => development({ FALAI_APIKEY: 'x' }), { FALAI_APIKEY: /misspelt FALAI_API_KEY/ }],
    [
      'a group that is not whole',
      () => development({ TELEGRAM_BOT_TOKEN: '1:abc', TELEGRAM_CHAT_ID: '' }),
      { TELEGRAM_CHAT_ID: /is missing: TELEGRAM_BOT_TOKEN/ },
    ],
    [
      'a requirement of production',
      () => ({ ...production(), DATABASE_URL: '' }),
      { DATABASE_URL: /is missing: production needs it/ },
    ],
    [
      'a secret that repeats',
      () => ({ ...staging(), SECRET_KEY: 'abcabcabc'.repeat(8) }),
      { SECRET_KEY: /do not repeat/ },
    ],
    ['a short token', () => ({ ...staging(), METRICS_TOKEN: 'short' }), { METRICS_TOKEN: /at least 16 characters/ }],
    [
      'a short webhook secret',
      () => ({ ...staging(), WEBHOOK_SECRET: '$(openssl rand -hex 16)' }),
      { WEBHOOK_SECRET: /at least 16 characters/ },
    ],
    [
      'a key in another format',
      () => development({ JWT_PRIVATE_KEY: pemOf('P-256', 'sec1') }),
      { JWT_PRIVATE_KEY: /openssl pkcs8/ },
    ],
    ['a key of another curve', () => development({ JWT_PRIVATE_KEY: pemOf('P-384') }), { JWT_PRIVATE_KEY: /P-256/ }],
    [
      'a vendor over plain http',
      () => ({ ...staging('providers'), RUNWAY_API_URL: 'http://runway.example.com' }),
      { RUNWAY_API_URL: /must be https.*RUNWAY_API_URL=https/ },
    ],
    [
      'simulators at a public address',
      () => development({ FALAI_API_KEY: outside.world.fal.credentials.apiKey, HOST: '0.0.0.0' }),
      { ALLOW_PUBLIC_DEVELOPMENT: /leave HOST out/ },
    ],
    [
      'a test key in production',
      () => ({ ...withDatabase(production('stripe')) }),
      { STRIPE_SECRET_KEY: /is a test key/ },
    ],
    [
      'a bundle id with the team',
      () => ({ ...staging('apple'), APPLE_BUNDLE_ID: `${outside.groups.apple.APPLE_TEAM_ID}.com.example.rendio` }),
      { APPLE_BUNDLE_ID: /begins with the team/ },
    ],
  ];
  for (const [plant, env, expected] of cases.slice(0, -1)) it(plant, () => assertFinds(env(), expected));
  it('a bundle id with the team in front', async () => {
    const [, env] = cases.at(-1) ?? assert.fail();
    const faults = faultsIn(await examineEnv(env()));
    assert.match(textReport(faults, { isVerbose: false }), /^APPLE_BUNDLE_ID begins with the team.*Leave SIM/m);
  });

  it('all that is wrong at once: probes go on with what is left', async () => {
    const env = {
      ...staging('providers'),
      LOG_LEVEL: 'loud',
      PORT: '70000',
      RUNWAY_API_KEY: 'key_that_nobody_has_issued',
    };
    await assertFinds(
      { ...env, HOST: '127.0.0.1' },
      { LOG_LEVEL: /must be/, PORT: /whole number/, RUNWAY_API_KEY: /refused/ },
    );
  });

  it('what is allowed and seldom meant is a warning', async () => {
    const env = { ...staging(), CORS_ORIGINS: 'http://localhost:3000', LOG_LEVEL: 'silent', TRUSTED_PROXY_HOPS: '0' };
    const level = 'warning';
    await assertFinds(
      env,
      { CORS_ORIGINS: /localhost.*Leave/, LOG_LEVEL: /no trace/, TRUSTED_PROXY_HOPS: /share its IP/ },
      { level },
    );
    const inProduction = withDatabase({
      ...production(),
      MEDIA_ALLOWED_HOSTS: '10.0.0.1:9000',
      APPLE_SANDBOX_PURCHASES: 'grant',
      CORS_ORIGINS: '*',
    });
    await assertFinds(
      inProduction,
      { MEDIA_ALLOWED_HOSTS: /10\.0\.0\.1/, APPLE_SANDBOX_PURCHASES: /refuse/, CORS_ORIGINS: /every website/ },
      { level },
    );
    await assertFinds(
      { ...staging('telegram'), METRICS_TOKEN: `"${'a-token-of-length'}"` },
      { METRICS_TOKEN: /quotes.*Leave them out/ },
      { level },
    );
    await assertFinds(
      { ...staging('apple'), APPLE_APNS_KEY_ID: 'AuthKey_2X9R4HXF34' },
      { APPLE_APNS_KEY_ID: /ten capital/ },
      { level },
    );
  });
});

describe('this machine', () => {
  it('a data folder in the place of a file', async () => {
    const file = join(outside.dataDir, 'file');
    await writeFile(file, '');
    await assertFinds({ DATA_DIR: file, PORT: '0' }, { DATA_DIR: /a file is in its place/ });
    await assertFinds({ DATA_DIR: join(file, 'data'), PORT: '0' }, { DATA_DIR: /a file is in its place/ });
  });

  it('a development key that is no key', async () => {
    const folder = join(outside.dataDir, 'corrupt');
    await mkdir(folder);
    await writeFile(join(folder, 'development-jwt-key.pem'), 'no key');
    await assertFinds({ DATA_DIR: folder, PORT: '0' }, { DATA_DIR: /development-jwt-key\.pem.*Delete it/ });
  });

  it('a port that another program has, and an address that this machine has not', async (t) => {
    const server = createServer((socket) => socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n'));
    t.after(() => server.close());
    const port = String(await listening(server));
    await assertFinds(development({ PORT: port, HOST: '127.0.0.1' }), { PORT: /taken by another program.*PORT=/ });
    await assertFinds(development({ HOST: '203.0.113.7' }), { HOST: /no address of this machine/ });
  });

  it('root certificates that have ended, and that may not issue others', async () => {
    const folder = join(outside.dataDir, 'roots');
    await mkdir(folder);
    const env = { ...staging('apple'), APPLE_ROOT_CERTS: join(folder, 'root.cer') };
    for (const [options, words] of [
      [{ isCa: true, until: new Date('2021-01-01') }, /not valid today/],
      [{ isCa: false }, /may not issue/],
    ] as const) {
      await writeFile(env.APPLE_ROOT_CERTS, (await makeCertificate(options)).der);
      await assertFinds(env, { APPLE_ROOT_CERTS: words });
    }
    await assertFinds({ ...env, APPLE_ROOT_CERTS: folder.concat('-missing') }, { APPLE_ROOT_CERTS: /cannot be read/ });
  });

  it('a clock that differs from the database’s, or from a vendor’s', async () => {
    await assertFinds(
      withDatabase({ ...staging(), PUBLIC_URL: undefined }),
      { clock: /3600 s ahead of the database.*NTP/ },
      { aheadMs: HOUR_MS },
    );
    outside.answer(PUBLIC_HOST, () =>
      Response.json({ status: 'ok' }, { headers: { date: new Date(Date.now() + HOUR_MS).toUTCString() } }),
    );
    const faults = faultsIn(await examineEnv(staging()));
    assert.match(
      faults.find(({ name }) => name === 'clock')?.problem ?? '',
      /(?:3599|3600) s behind api\.example\.com/,
    );
  });
});

describe('the database', () => {
  const at = (url: string, change: (url: URL) => void): string => {
    const changed = new URL(url);
    change(changed);
    return changed.href;
  };
  const finds = (url: string, words: RegExp) =>
    assertFinds({ ...staging(), DATABASE_URL: url }, { DATABASE_URL: words });

  it('nothing listens, there is no such host, no such database, or the password is wrong', async () => {
    const port = await freePort();
    await finds(
      at(database.url, (url) => (url.port = String(port))),
      /no server listens.*correct host and port/,
    );
    await finds(
      at(database.url, (url) => (url.pathname = '/no_such_database')),
      /no such database.*Create it/,
    );
    await finds(
      at(database.url, (url) => (url.password = 'not-the-password')),
      /password is wrong.*percent-encoded/,
    );
    await finds(
      at(database.url, (url) => (url.password = '')),
      /asks for a password, and the URL has none/,
    );
    await finds(
      at(database.url, (url) => url.searchParams.set('sslmode', 'require')),
      /does not speak TLS.*sslmode/,
    );
  });

  it('its user may not do what migrations need', async () => {
    const name = `weak_${randomUUID().slice(0, 8)}`;
    await owner.query(`create role ${name} login password 'weak-weak'`);
    try {
      const weak = (url: string) => at(url, (each) => Object.assign(each, { username: name, password: 'weak-weak' }));
      await using empty = await createEmptyDatabase();
      const onEmpty = faultsIn(await examineEnv({ ...staging(), DATABASE_URL: weak(empty.url) }));
      const said = textReport(onEmpty, { isVerbose: false });
      assert.match(said, /^DATABASE_URL .*may not create schemas.*grant create on database/m);
      assert.match(said, /^DATABASE_URL .*may not act as rendio_server.*grant rendio_server/m);
      const onOwned = faultsIn(await examineEnv({ ...staging(), DATABASE_URL: weak(database.url) }));
      assert.match(
        textReport(onOwned, { isVerbose: false }),
        /^DATABASE_URL .*does not own the tables\. Name the user/m,
      );
    } finally {
      await owner.query(`drop role ${name}`);
    }
  });

  it('hosts that are silent or closed are given up, and both URLs named', async (t) => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket));
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    // Of several hosts, each has less time: the test is over sooner.
    const hosts = `127.0.0.1:${await listening(server)},127.0.0.1:${await freePort()}`;
    const urlAt = (name: string) => `postgres://owner:a-password@${hosts}/${name}`;
    const words = /cannot be used: (?:it does not answer|no server listens)/;
    const env = { ...staging(), DATABASE_URL: urlAt('one'), DATABASE_DIRECT_URL: urlAt('two') };
    await assertFinds(env, { DATABASE_URL: words, DATABASE_DIRECT_URL: words });
  });

  it('the direct URL leads to another database', async () => {
    await using other = await createTestDatabase();
    const env = { ...staging(), DATABASE_URL: database.url, DATABASE_DIRECT_URL: other.url };
    await assertFinds(env, { DATABASE_URL: /not the database that DATABASE_DIRECT_URL names/ });
    const closed = at(database.url, (url) => (url.port = '1'));
    await assertFinds({ ...env, DATABASE_DIRECT_URL: closed }, { DATABASE_DIRECT_URL: /no server listens/ });
  });

  it('it takes no writes', async () => {
    await using other = await createTestDatabase();
    const { pathname } = new URL(other.url);
    await owner.query(`alter database ${pathname.slice(1)} set default_transaction_read_only = on`);
    await finds(other.url, /takes no writes.*Name the primary/);
  });

  it('it is newer, or was migrated by another text', async () => {
    await using other = await createTestDatabase();
    const pool = ownerPool(other.url, 1);
    await pool.query(`insert into schema_history (name, hash) values ('migrations/9999_new.sql', 'x')`);
    await finds(other.url, /newer than this version.*9999_new\.sql.*Start the newer version/);
    await pool.query(`delete from schema_history where name = 'migrations/9999_new.sql'`);
    await pool.query(`update schema_history set hash = 'x' where name like 'migrations/0001%'`);
    await finds(other.url, /0001.*has changed since it was applied.*Restore it/);
    await pool.end();
  });

  it('a pooler drops the start options, or stands where LISTEN is needed', WITH_PGBOUNCER, async () => {
    const settings = ['ignore_startup_parameters = extra_float_digits,options'];
    await using pooler = await startPgBouncer(database.url, { settings });
    await assertFinds(
      { ...staging(), DATABASE_URL: pooler.url, DATABASE_DIRECT_URL: database.url },
      { DATABASE_URL: /not as rendio_server.*connect_query/ },
    );
    const faults = faultsIn(await examineEnv({ ...staging(), DATABASE_URL: pooler.url }));
    assert.match(textReport(faults, { isVerbose: false }), /^DATABASE_URL .*session locks.*DATABASE_DIRECT_URL/m);
  });
});

describe('the media store', () => {
  const withS3 = (env: Env = {}): Env => ({ ...staging('s3'), ...env });
  /** Answers a step of the trial as other stores do. */
  const answering = (method: string, answer: () => Response, isFor = (_: Request) => true) =>
    outside.answer(new URL(outside.groups.s3.S3_ENDPOINT ?? '').host, (request) =>
      request.method === method && isFor(request) ? answer() : undefined,
    );
  const refusal = (status: number, code: string) => () =>
    new Response(`<Error><Code>${code}</Code></Error>`, { status });

  it('its keys or its bucket are not known', async () => {
    await assertFinds(withS3({ S3_ACCESS_KEY_ID: 'AKIAUNKNOWN' }), { S3_ACCESS_KEY_ID: /not known.*Copy the id/ });
    await assertFinds(withS3({ S3_BUCKET: 'no-such-bucket' }), { S3_BUCKET: /does not exist.*Create it/ });
  });

  it('nothing listens at its endpoint', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    await assertFinds(withS3({ S3_ENDPOINT: endpoint }), {
      S3_ENDPOINT: /nothing listens there \(ECONNREFUSED\).*Correct the URL/,
    });
  });

  it('the secret or the region is another one, rights are missing, or the clock is refused', async () => {
    answering('PUT', refusal(403, 'SignatureDoesNotMatch'));
    await assertFinds(withS3(), { S3_SECRET_ACCESS_KEY: /not the secret of S3_ACCESS_KEY_ID/ });
    answering('PUT', refusal(400, 'AuthorizationHeaderMalformed'));
    await assertFinds(withS3(), { S3_REGION: /not the region of the bucket/ });
    answering('PUT', refusal(301, 'PermanentRedirect'));
    await assertFinds(withS3(), { S3_REGION: /endpoint of that region/ });
    answering('PUT', refusal(401, 'Unauthorized'));
    await assertFinds(withS3(), { S3_ACCESS_KEY_ID: /S3_SECRET_ACCESS_KEY is refused.*Copy both/ });
    answering('PUT', refusal(403, 'AccessDenied'));
    await assertFinds(withS3(), { S3_ACCESS_KEY_ID: /may not write.*rights/ });
    answering('DELETE', refusal(403, 'AccessDenied'));
    await assertFinds(withS3(), { S3_ACCESS_KEY_ID: /may not delete.*rights/ });
    answering('PUT', refusal(403, 'RequestTimeTooSkewed'));
    await assertFinds(withS3(), { clock: /NTP/ });
    answering('GET', refusal(403, 'AccessDenied'), (request) => request.url.includes('list-type'));
    await assertFinds(withS3(), { S3_ACCESS_KEY_ID: /may not list/ }, { level: 'warning' });
  });

  it('it gives whole files where a part is asked for', async () => {
    answering(
      'GET',
      () => new Response('rendio doctor', { status: 200 }),
      (request) => request.headers.has('range'),
    );
    await assertFinds(withS3(), { S3_ENDPOINT: /another range/ });
  });

  it('it is another database’s', async () => {
    await owner.query('update settings set media_store_id = gen_random_uuid()');
    try {
      await assertFinds(withDatabase(withS3()), { S3_BUCKET: /holds no id.*same S3_ENDPOINT/ });
      await assertFinds(withDatabase(staging()), { DATA_DIR: /holds no id.*same DATA_DIR/ });
    } finally {
      await owner.query('update settings set media_store_id = null');
    }
  });
});

describe('PUBLIC_URL', () => {
  const finds = (words: RegExp, env: Env = {}) => assertFinds({ ...staging(), ...env }, { PUBLIC_URL: words });
  const failing = (code: string) =>
    outside.answer(PUBLIC_HOST, () => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
    });

  it('leads to this machine or network alone', async () => {
    await finds(/this machine alone/, { PUBLIC_URL: 'https://localhost:8787' });
    await finds(/private address/, { PUBLIC_URL: 'https://10.1.2.3' });
    outside.overNetwork({ lookup: async () => ['10.1.2.3'] });
    await assertFinds(staging(), { PUBLIC_URL: /private address from here/ }, { level: 'warning' });
  });

  it('is not reached, or not by a certificate that counts', async () => {
    for (const [code, words] of [
      ['ECONNREFUSED', /nothing listens there.*Start the server/],
      ['ENOTFOUND', /host name does not exist/],
      ['CERT_HAS_EXPIRED', /certificate has expired/],
      ['ERR_TLS_CERT_ALTNAME_INVALID', /another host name/],
      ['DEPTH_ZERO_SELF_SIGNED_CERT', /self-signed/],
    ] as const) {
      failing(code);
      await finds(words);
    }
  });

  it('has a certificate that ends soon', async () => {
    outside.overNetwork({ connect: async () => ({ certificateEndsAt: new Date(Date.now() + 3.5 * 24 * HOUR_MS) }) });
    await assertFinds(staging(), { PUBLIC_URL: /ends in 3 days.*Renew/ }, { level: 'warning' });
  });

  it('leads to a redirect, a page, or another Rendio', async () => {
    outside.answer(
      PUBLIC_HOST,
      () => new Response(null, { status: 301, headers: { location: 'https://www.example.com/' } }),
    );
    await finds(/redirected to https:\/\/www\.example\.com/);
    outside.answer(PUBLIC_HOST, () => new Response('<html>', { status: 502 }));
    await finds(/not Rendio \(\/healthz answers 502\)/);
    outside.reset();
    await finds(/another server.*JWT_PRIVATE_KEY/, { JWT_PRIVATE_KEY: pemOf() });
  });
});

describe('vendors', () => {
  it('a provider refuses the key, or has no credit left', async () => {
    await assertFinds(
      { ...staging('providers'), FALAI_API_KEY: 'id-of-a-key:but-not-its-secret' },
      { FALAI_API_KEY: /refused by fal \(answered 401\).*Copy the whole key/ },
    );
    await assertFinds(
      { ...staging('providers'), PIKA_API_KEY: 'id-of-a-key:but-not-its-secret' },
      { PIKA_API_KEY: /refused by Pika/ },
    );
    await assertFinds(
      { ...staging('providers'), RUNWAY_API_KEY: 'key_that_nobody_has_issued' },
      { RUNWAY_API_KEY: /refused by Runway/ },
    );
    outside.world.runway.controls.setCredits(0);
    await assertFinds(staging('providers'), { RUNWAY_API_KEY: /without credit.*Add credit/ }, { level: 'warning' });
  });

  it('a provider’s URL leads nowhere, or to a page', async () => {
    const env = staging('providers');
    await assertFinds(
      { ...env, FAL_QUEUE_URL: 'https://queue.fal.example' },
      { FAL_QUEUE_URL: /host name does not exist/ },
    );
    await assertFinds(
      { ...env, RUNWAY_API_URL: 'https://runway.example' },
      { RUNWAY_API_URL: /host name does not exist/ },
    );
    outside.answer('rest.fal.ai', () => new Response('<html>'));
    outside.answer('queue.fal.run', () => new Response('<html>'));
    outside.answer('api.dev.runwayml.com', () => new Response('<html>'));
    await assertFinds(env, {
      FAL_REST_URL: /not an answer of fal/,
      FAL_QUEUE_URL: /not an answer of fal/,
      RUNWAY_API_URL: /not an answer of Runway/,
    });
  });

  it('Apple refuses a key: all names that may be the wrong one are named', async () => {
    await assertFinds(
      { ...staging('apple'), APPLE_DEVICECHECK_PRIVATE_KEY: pemOf() },
      {
        APPLE_DEVICECHECK_KEY_ID: /refused together by DeviceCheck \(answered 401/,
        APPLE_DEVICECHECK_PRIVATE_KEY: /Paste the \.p8 file/,
        APPLE_TEAM_ID: /Set the one/,
      },
    );
    await assertFinds(
      { ...staging('apple'), APPLE_KEY_ID: '2X9R4HXF34' },
      {
        APPLE_KEY_ID: /shows beside that key/,
        APPLE_PRIVATE_KEY: /refused together by the App Store Server API/,
        APPLE_ISSUER_ID: /Set the one/,
        APPLE_BUNDLE_ID: /Set the one/,
      },
    );
    await assertFinds(
      { ...staging('apple'), APPLE_SIGNIN_PRIVATE_KEY: pemOf() },
      {
        APPLE_SIGNIN_KEY_ID: /invalid_client/,
        APPLE_SIGNIN_PRIVATE_KEY: /Paste the \.p8 file/,
        APPLE_TEAM_ID: /Set the one/,
        APPLE_BUNDLE_ID: /Set the one/,
      },
    );
  });

  it('Apple does not know an app, a website, or the time', async () => {
    await assertFinds(
      { ...staging('apple'), APPLE_SERVICE_IDS: 'com.example.nowhere' },
      { APPLE_SERVICE_IDS: /com\.example\.nowhere.*Correct it/ },
    );
    outside.answer('api.storekit.apple.com', () => Response.json({ errorCode: 4040003 }, { status: 404 }));
    outside.answer('api.storekit-sandbox.apple.com', () => Response.json({ errorCode: 4040003 }, { status: 404 }));
    await assertFinds(staging('apple'), { APPLE_BUNDLE_ID: /no app of this team/ });
    outside.reset();
    outside.answer('api.devicecheck.apple.com', () => new Response('Invalid or missing timestamp', { status: 400 }));
    outside.answer(
      'api.development.devicecheck.apple.com',
      () => new Response('Invalid or missing timestamp', { status: 400 }),
    );
    await assertFinds(staging('apple'), { clock: /NTP/ });
  });

  it('before an app’s first release Apple’s production host refuses its key: that is no fault', async () => {
    outside.world.appStore.controls.setReleased(false);
    assert.deepEqual(faultsIn(await examineEnv(staging('apple'))), []);
    await assertFinds(withDatabase(production()), { APPLE_PRIVATE_KEY: /first release/ }, { level: 'warning' });
  });

  it('Apple’s hosts are not reached', async () => {
    const env = {
      ...staging('apple'),
      APPLE_ID_URL: 'https://id.example',
      APPLE_DEVICECHECK_URL: 'https://check.example',
    };
    await assertFinds(env, {
      APPLE_ID_URL: /host name does not exist/,
      APPLE_DEVICECHECK_URL: /host name does not exist/,
    });
    outside.answer('appleid.apple.com', () => new Response('<html>'));
    await assertFinds(staging('apple'), { APPLE_ID_URL: /without Apple’s public keys/ });
  });

  it('Stripe refuses the key or its rights, or calls another server', async () => {
    await assertFinds(
      { ...staging('stripe'), STRIPE_SECRET_KEY: 'sk_test_0123456789abcdef' },
      { STRIPE_SECRET_KEY: /refused by Stripe/ },
    );
    await assertFinds(
      { ...staging('stripe'), STRIPE_API_URL: 'https://stripe.example' },
      { STRIPE_API_URL: /host name does not exist/ },
    );
    await assertFinds(development({ ...outside.groups.stripe, STRIPE_WEBHOOK_SECRET: 'sk_no_signing_secret' }), {
      STRIPE_WEBHOOK_SECRET: /no signing secret.*whsec_/,
    });
    const endpoints = (url: string, status: string) => (request: Request) =>
      request.url.includes('webhook_endpoints')
        ? Response.json({ data: [{ url, status }] })
        : outside.stripe.app.fetch(request, {});
    outside.answer('api.stripe.com', endpoints('https://old.example.com/functions/v1/stripe-webhook', 'enabled'));
    await assertFinds(staging('stripe'), {
      STRIPE_WEBHOOK_SECRET: /none calls https:\/\/api\.example\.com.*give no credits/,
    });
    outside.answer('api.stripe.com', endpoints(`https://${PUBLIC_HOST}/functions/v1/stripe-webhook`, 'disabled'));
    await assertFinds(staging('stripe'), { STRIPE_WEBHOOK_SECRET: /switched off/ });
    outside.answer(
      'api.stripe.com',
      () => new Response('<html>', { status: 404, headers: { 'content-type': 'text/html' } }),
    );
    await assertFinds(staging('stripe'), { STRIPE_API_URL: /it answers 404/ });
    outside.answer('api.stripe.com', () => Response.json({}, { status: 403 }));
    await assertFinds(staging('stripe'), { STRIPE_SECRET_KEY: /may not read payments.*rights/ });
  });

  it('Telegram does not know the bot or its chat', async () => {
    await assertFinds(
      { ...staging('telegram'), TELEGRAM_BOT_TOKEN: '1:another-token' },
      { TELEGRAM_BOT_TOKEN: /refused.*BotFather/ },
    );
    await assertFinds(
      { ...staging('telegram'), TELEGRAM_CHAT_ID: '4711' },
      { TELEGRAM_CHAT_ID: /does not know.*Add the bot/ },
    );
    await assertFinds({ ...staging('telegram'), TELEGRAM_CHAT_ID: '-42' }, { TELEGRAM_CHAT_ID: /supergroup.*-10042/ });
    await assertFinds(
      { ...staging('telegram'), TELEGRAM_API_URL: 'https://telegram.example' },
      { TELEGRAM_API_URL: /does not exist/ },
    );
  });

  it('receivers are not reached, or have no secret; nothing is sent to them', async (t) => {
    let bytes = 0;
    const server = createServer((socket) => socket.on('data', (chunk) => (bytes += chunk.byteLength)));
    t.after(() => server.close());
    const [open, closed] = [await listening(server), await freePort()];
    outside.overNetwork({ connect: systemNetwork.connect });
    const receivers = (env: Env): Env => ({ ...development(), ...env });
    const secret = outside.groups.receivers.OUTGOING_WEBHOOK_SECRET;
    await assertFinds(receivers({ ALERT_WEBHOOK_URL: `http://127.0.0.1:${closed}/x` }), {
      ALERT_WEBHOOK_URL: /nothing listens there/,
    });
    await assertFinds(receivers({ ALERT_WEBHOOK_URL: `https://127.0.0.1:${closed}/x` }), {
      ALERT_WEBHOOK_URL: /nothing listens there/,
    });
    await assertFinds(receivers({ ALERT_WEBHOOK_URL: `http://127.0.0.1:${open}/x` }), {});
    const outgoing = `http://127.0.0.1:${open}/hooks`;
    await assertFinds(receivers({ OUTGOING_WEBHOOK_URL: outgoing }), {
      OUTGOING_WEBHOOK_SECRET: /missing/,
    });
    await assertFinds(receivers({ OUTGOING_WEBHOOK_SECRET: secret }), { OUTGOING_WEBHOOK_URL: /missing/ });
    await assertFinds(receivers({ OUTGOING_WEBHOOK_URL: outgoing, OUTGOING_WEBHOOK_SECRET: 'whsec_short' }), {
      OUTGOING_WEBHOOK_SECRET: /whsec_.*openssl/,
    });
    outside.overNetwork({ lookup: async () => ['10.1.2.3'] });
    const inside = withDatabase({ ...production('receivers') });
    const faults = faultsIn(await examineEnv(inside));
    assert.match(textReport(faults, { isVerbose: false }), /^OUTGOING_WEBHOOK_URL leads to a private address/m);
    assert.equal(bytes, 0);
  });

  it('Supabase’s keys are exchanged, of another project, or refused', async () => {
    const env = staging('supabase');
    await assertFinds(
      { ...env, SUPABASE_ANON_KEY: supabaseKey('service_role') },
      { SUPABASE_ANON_KEY: /the key of the role service_role/ },
    );
    await assertFinds(
      { ...env, SUPABASE_SERVICE_ROLE_KEY: 'sb_publishable_0123456789' },
      { SUPABASE_SERVICE_ROLE_KEY: /begins with sb_secret_/ },
    );
    await assertFinds(
      { ...env, SUPABASE_ANON_KEY: supabaseKey('anon', 'zyxwvutsrqponmlkjihg') },
      { SUPABASE_ANON_KEY: /another project/ },
    );
    const refusing = (path: string) =>
      outside.answer(SUPABASE_HOST, (request) =>
        request.url.includes(path) ? new Response(null, { status: 401 }) : undefined,
      );
    refusing('settings');
    await assertFinds(env, { SUPABASE_ANON_KEY: /refused by Supabase.*API keys/ });
    refusing('bucket');
    await assertFinds(env, { SUPABASE_SERVICE_ROLE_KEY: /refused by Supabase.*API keys/ });
    outside.answer(SUPABASE_HOST, () => new Response('<html>'));
    await assertFinds({ ...env, PUBLIC_URL: undefined }, { SUPABASE_URL: /not as Supabase/ });
  });

  it('Supabase lacks a bucket, shows one to everyone, has sign-ups, or does not know the signing key', async () => {
    const env = staging('supabase');
    const buckets = (...list: [string, boolean][]) =>
      outside.answer(SUPABASE_HOST, (request) => {
        if (request.url.includes('/bucket'))
          return Response.json(list.map(([id, isPublic]) => ({ id, public: isPublic })));
        return Response.json(request.url.includes('settings') ? { disable_signup: true } : null);
      });
    buckets(['videos', false], ['thumbnails', false]);
    await assertFinds(env, { SUPABASE_URL: /without the bucket user_uploads.*db push/ });
    buckets(['videos', true], ['thumbnails', false], ['user_uploads', false]);
    await assertFinds(env, { SUPABASE_URL: /videos is public.*private/ });
    outside.reset();
    await assertFinds(
      { ...env, JWT_PRIVATE_KEY: pemOf(), PUBLIC_URL: undefined },
      { JWT_PRIVATE_KEY: /not known to Supabase.*Import it/ },
    );
    const other = 'postgres://postgres:hunter2hunter2@db.zyxwvutsrqponmlkjihg.supabase.co:1/postgres';
    const faults = faultsIn(await examineEnv({ ...env, DATABASE_URL: other }));
    assert.match(textReport(faults, { isVerbose: false }), /^DATABASE_URL is of another project than SUPABASE_URL/m);
  });
});

describe('the command', () => {
  const run = async (words: string[], env: Env) => {
    const printed: string[] = [];
    const [print, printError] = [(text: string) => printed.push(text), (text: string) => printed.push(text)];
    const { fetch, network } = outside;
    return { code: await runDoctor(words, { env, fetch, network, print, printError }), out: printed.join('\n') };
  };

  it('ends with 1 if something is wrong, with 0 otherwise, and with 2 for a wrong command line', async () => {
    const wrong = await run([], development({ PORT: 'eighty' }));
    assert.deepEqual(
      [wrong.code, (await run([], development())).code, (await run(['--nonsense'], development())).code],
      [1, 0, 2],
    );
    assert.match(wrong.out, /^PORT must be a whole number/m);
    const warned = await run([], { ...staging(), LOG_LEVEL: 'silent' });
    assert.equal(warned.code, 0);
    assert.match(warned.out, /^1 warning:\nLOG_LEVEL /m);
  });

  it('lists what is fine when asked to, and gives all of it as JSON', async () => {
    const quiet = await run([], development());
    assert.doesNotMatch(quiet.out, /DATA_DIR/);
    assert.match((await run(['--verbose'], development())).out, /^- DATA_DIR can be written to/m);
    const { ok, findings } = JSON.parse((await run(['--json'], development({ PORT: 'eighty' }))).out);
    assert.equal(ok, false);
    assert.deepEqual(findings[0], {
      level: 'wrong',
      name: 'PORT',
      problem: findings[0].problem,
      mend: 'Example: PORT=8787',
    });
  });

  it('takes no longer than its limits, whoever is silent', async () => {
    outside.answer(
      PUBLIC_HOST,
      (request) =>
        new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(request.signal.reason))),
    );
    const began = performance.now();
    const faults = faultsIn(await examineEnv(staging(), { limits: { requestMs: 300, checkMs: 10_000 } }));
    assert.match(textReport(faults, { isVerbose: false }), /^PUBLIC_URL .*does not answer in time/m);
    const late = faultsIn(await examineEnv(staging(), { limits: { requestMs: 10_000, checkMs: 300 } }));
    assert.match(textReport(late, { isVerbose: false }), /^PUBLIC_URL could not be checked \(no answer in time\)/m);
    assert.ok(performance.now() - began < 8_000);
  });
});
