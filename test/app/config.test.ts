import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { importJWK, importPKCS8 } from 'jose';
import { examplesOf } from '../../src/app/config/variables.ts';
import { type Config, readConfig } from '../../src/app/config.ts';
import { realConnections } from '../../src/app/vendor-connections.ts';
import { StartupError } from '../../src/kernel/startup-error.ts';
import { MANIFESTS } from '../../src/providers/manifests.ts';

type Env = Record<string, string | undefined>;

function pemOf(namedCurve: string): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = p256.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const jwk = p256.privateKey.export({ format: 'jwk' });

const production: Env = {
  ENVIRONMENT: 'production',
  PUBLIC_URL: 'https://api.example.com',
  DATABASE_URL: 'postgres://owner:hunter2@db.example.com/rendio',
  JWT_PRIVATE_KEY: pem,
  SECRET_KEY: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  APPLE_BUNDLE_ID: 'com.example.app',
  APPLE_TEAM_ID: 'ABCDE12345',
  APPLE_DEVICECHECK_KEY_ID: '2X9R4HXF34',
  APPLE_DEVICECHECK_PRIVATE_KEY: pem,
  FALAI_API_KEY: 'fal-id:fal-secret',
};

/** The report about an invalid environment: each variable's name with its line. */
async function reportOf(env: Env): Promise<Map<string, string>> {
  const error = await readConfig(env).then(
    () => assert.fail('the environment was accepted'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof StartupError, String(error));
  const [, ...lines] = error.message.split('\n');
  const named = lines.map((line): [string, string] => [/^ {2}([A-Z0-9_]+) /.exec(line)?.[1] ?? line, line]);
  const report = new Map(named);
  assert.equal(report.size, lines.length, `one line per variable: ${error.message}`);
  for (const [name, line] of report) assert.match(line, new RegExp(`Example: ${name}=\\S`));
  return report;
}

async function reportedNames(env: Env): Promise<string[]> {
  return [...(await reportOf(env)).keys()].sort();
}

test('development requires nothing and has every default of the contract', async () => {
  const { settings, secrets } = await readConfig({});
  assert.deepEqual(settings.server, {
    port: 8787,
    host: '127.0.0.1',
    publicUrl: undefined,
    dataDir: '.data',
    worker: true,
    corsOrigins: '*',
    logLevel: 'info',
    trustedProxyHops: 0,
    metricsPort: undefined,
  });
  assert.equal(settings.environment, 'development');
  assert.equal(secrets.database, undefined);
  assert.equal(secrets.jwtPrivateKey, undefined);
  assert.equal(secrets.secretKey, undefined);
});

test('development limits are a hundred times the defaults, and each can be set', async () => {
  const limitsIn = async (env: Env) => (await readConfig(env)).settings.limits;
  const rates = {
    generationsPerHour: 10,
    generationsPerHourPerIp: 60,
    onboardingPerHour: 30,
    authPer5Minutes: 150,
    purchasesPerHour: 30,
    reportsPerHour: 20,
    callsPerMinute: 600,
    generationsInFlight: 10,
    refundedCancelsPerHour: 5,
    codeGuessesPerHourPerIp: 30,
  };
  const fixed = {
    codeGuessesPerHour: 10,
    dailySpendCapCredits: null,
    generationDeadlineSeconds: 1800,
    initialGrantCredits: 10,
    deviceCheckFallback: 'no_grant',
  };
  const hundredfold = Object.fromEntries(Object.entries(rates).map(([name, rate]) => [name, rate * 100]));
  assert.deepEqual(await limitsIn(production), { ...rates, ...fixed });
  assert.deepEqual(await limitsIn({}), { ...hundredfold, ...fixed });
  const set = await limitsIn({
    RATE_LIMIT_GENERATIONS_PER_HOUR: '1',
    RATE_LIMIT_GENERATIONS_PER_HOUR_PER_ADDRESS: '2',
    RATE_LIMIT_ONBOARDING_PER_HOUR: '3',
    RATE_LIMIT_AUTH_PER_5_MINUTES: '4',
    RATE_LIMIT_PURCHASES_PER_HOUR: '5',
    RATE_LIMIT_REPORTS_PER_HOUR: '55',
    RATE_LIMIT_CALLS_PER_MINUTE: '6',
    RATE_LIMIT_GENERATIONS_IN_FLIGHT: '7',
    RATE_LIMIT_REFUNDED_CANCELS_PER_HOUR: '8',
    RATE_LIMIT_CODE_GUESSES_PER_HOUR: '9',
    RATE_LIMIT_CODE_GUESSES_PER_HOUR_PER_ADDRESS: '10',
    DAILY_SPEND_CAP_CREDITS: '11',
    GENERATION_DEADLINE_SECONDS: '12',
    INITIAL_GRANT_CREDITS: '0',
    DEVICECHECK_FALLBACK: 'deny',
  });
  assert.deepEqual(Object.values(set), [1, 2, 3, 4, 5, 55, 6, 7, 8, 9, 10, 11, 12, 0, 'deny']);
});

test('all variables that production lacks are reported at once, by name', async () => {
  const required = Object.keys(production).filter((name) => name !== 'ENVIRONMENT');
  assert.deepEqual(await reportedNames({ ENVIRONMENT: 'production' }), required.sort());
  await readConfig(production);
});

test('each requirement of production is reported alone', async () => {
  for (const name of Object.keys(production).filter((key) => key !== 'ENVIRONMENT')) {
    assert.deepEqual(await reportedNames({ ...production, [name]: undefined }), [name]);
  }
});

test('any one provider is enough for production', async () => {
  for (const name of ['RUNWAY_API_KEY', 'PIKA_API_KEY']) {
    await readConfig({ ...production, FALAI_API_KEY: undefined, [name]: 'a-key' });
  }
});

test('production requires https; staging and development do not', async () => {
  const plain = { PUBLIC_URL: 'http://api.example.com' };
  assert.match((await reportOf({ ...production, ...plain })).get('PUBLIC_URL') ?? '', /must be https in production/);
  await readConfig({ ...production, ...plain, ENVIRONMENT: 'staging' });
  await readConfig(plain);
});

test('staging requires nothing, and simulates no vendor', async () => {
  const { settings } = await readConfig({ ENVIRONMENT: 'staging' });
  assert.ok(Object.values(settings.simulated).every((isSimulated) => !isSimulated));
});

test('every group of variables is complete or absent, in every environment', async () => {
  const groups: Record<string, Env> = {
    'SUPABASE_ANON_KEY SUPABASE_SERVICE_ROLE_KEY': { SUPABASE_URL: 'https://x.supabase.co' },
    TELEGRAM_CHAT_ID: { TELEGRAM_BOT_TOKEN: '1:abc' },
    TELEGRAM_BOT_TOKEN: { TELEGRAM_CHAT_ID: '-100' },
    'S3_ACCESS_KEY_ID S3_BUCKET S3_REGION S3_SECRET_ACCESS_KEY': { S3_ENDPOINT: 'http://127.0.0.1:9000' },
    'APPLE_APP_ID APPLE_BUNDLE_ID APPLE_ISSUER_ID APPLE_PRIVATE_KEY': { APPLE_KEY_ID: 'K' },
    'APPLE_DEVICECHECK_KEY_ID APPLE_TEAM_ID': { APPLE_DEVICECHECK_PRIVATE_KEY: pem },
    'APPLE_BUNDLE_ID APPLE_SIGNIN_PRIVATE_KEY APPLE_TEAM_ID': { APPLE_SIGNIN_KEY_ID: 'K' },
    'APPLE_BUNDLE_ID APPLE_SIGNIN_KEY_ID APPLE_TEAM_ID': { APPLE_SIGNIN_PRIVATE_KEY: pem },
    APPLE_BUNDLE_ID: { APPLE_SERVICE_IDS: 'com.example.web' },
    'APPLE_APNS_PRIVATE_KEY APPLE_BUNDLE_ID APPLE_TEAM_ID': { APPLE_APNS_KEY_ID: 'K' },
    DATABASE_URL: { DATABASE_DIRECT_URL: 'postgres://db/rendio' },
  };
  for (const [lacking, env] of Object.entries(groups)) assert.equal((await reportedNames(env)).join(' '), lacking);
});

test('missing and invalid variables are in one report', async () => {
  const names = await reportedNames({ ...production, SECRET_KEY: undefined, PORT: 'http', S3_REGION: 'eu' });
  assert.deepEqual(names, [
    'PORT',
    'S3_ACCESS_KEY_ID',
    'S3_BUCKET',
    'S3_ENDPOINT',
    'S3_SECRET_ACCESS_KEY',
    'SECRET_KEY',
  ]);
});

test('an unknown environment is reported together with the rest', async () => {
  assert.deepEqual(await reportedNames({ ENVIRONMENT: 'prod', PORT: '-1' }), ['ENVIRONMENT', 'PORT']);
});

test('invalid values are reported by name', async () => {
  const unusable: Record<string, string[]> = {
    PORT: ['65536', '80.5', '1e3', '0x50', '-1'],
    HOST: ['http://x', '0.0.0.0:80', 'a b'],
    PUBLIC_URL: ['example.com', 'ftp://x', 'https://x?q=1', 'https://x#f', 'https://u:p@x'],
    DATABASE_URL: ['mysql://x/y', 'db.example.com'],
    WORKER: ['yes', 'ON'],
    CORS_ORIGINS: ['example.com', 'https://x/path', 'https://*.example.com', '*,https://x'],
    LOG_LEVEL: ['verbose'],
    TRUSTED_PROXY_HOPS: ['11', 'all'],
    SECRET_KEY: ['é'.repeat(15)],
    METRICS_TOKEN: ['two words'],
    METRICS_PORT: ['0', '65536', '9464/tcp'],
    TELEGRAM_API_URL: ['api.telegram.org'],
    ALERT_WEBHOOK_URL: ['hooks.example.com'],
    APPLE_BUNDLE_ID: ['com.example app'],
    APPLE_SERVICE_IDS: ['com.example web', 'com.example.web;com.example.admin'],
    APPLE_APP_ID: ['0', 'id1'],
    APPLE_ROOT_CERTS: ['/nowhere/roots', 'package.json', 'src'],
    APPLE_SANDBOX_PURCHASES: ['on', 'Grant'],
    APPLE_CONSUMPTION_CONSENT: ['yes'],
    APPLE_REFUND_PREFERENCE: ['decline', 'NONE'],
    APPLE_TEAM_ID: ['TEAM.com.example'],
    FAL_QUEUE_URL: ['queue.fal.run'],
    MEDIA_ALLOWED_HOSTS: ['https://cdn.example.com', 'cdn/x', 'cdn:99999'],
    RATE_LIMIT_GENERATIONS_PER_HOUR: ['0', '-1', 'ten', '1000001'],
    GENERATION_DEADLINE_SECONDS: ['0', '86401'],
    INITIAL_GRANT_CREDITS: ['-1', '2.5'],
    DEVICECHECK_FALLBACK: ['allow'],
  };
  for (const [name, values] of Object.entries(unusable)) {
    for (const value of values) assert.deepEqual(await reportedNames({ ...production, [name]: value }), [name], value);
  }
});

test('outside development, a secret that protects nothing and a vendor URL without TLS are refused by name', async () => {
  const weak: Record<string, string[]> = {
    SECRET_KEY: [
      's'.repeat(64),
      'ab'.repeat(32),
      '0123456789abcdef'.repeat(4),
      `${'a'.repeat(40)}b`,
      'password'.repeat(6),
    ],
    WEBHOOK_SECRET: ['x', 'fifteen-letters', '$(openssl rand -hex 32)'],
    METRICS_TOKEN: ['x', 'fifteen-letters'],
    FAL_QUEUE_URL: ['http://queue.fal.run', 'http://127.0.0.1:9'],
    FAL_REST_URL: ['http://rest.fal.ai'],
    RUNWAY_API_URL: ['HTTP://api.dev.runwayml.com'],
    APPLE_DEVICECHECK_URL: ['http://api.devicecheck.apple.com'],
    APPLE_APPSTORE_URL: ['http://127.0.0.1:9'],
    APPLE_APPSTORE_SANDBOX_URL: ['http://127.0.0.1:9'],
    APPLE_ID_URL: ['http://[::1]:9'],
    APPLE_APNS_URL: ['http://localhost:9'],
    TELEGRAM_API_URL: ['http://api.telegram.org'],
  };
  for (const [name, values] of Object.entries(weak)) {
    for (const value of values) {
      for (const ENVIRONMENT of ['staging', 'production']) {
        assert.deepEqual(
          await reportedNames({ ...production, ENVIRONMENT, [name]: value }),
          [name],
          `${name} ${value}`,
        );
      }
      await readConfig({ [name]: value });
    }
  }
});

test('every key that a generator makes is strong enough', async () => {
  const encodings = ['hex', 'base64', 'base64url'] as const;
  const keys = encodings.flatMap((encoding) => Array.from({ length: 50 }, () => randomBytes(32).toString(encoding)));
  // 32 characters of 16 bytes; and digits alone.
  keys.push(...Array.from({ length: 50 }, () => randomBytes(16).toString('hex')));
  keys.push('71036528491750366489205173940628', 'correct horse battery staple 2026');
  for (const SECRET_KEY of keys) await readConfig({ ...production, SECRET_KEY });
});

test('a variable that is one edit away from one that is read is named in a warning', async () => {
  const written: Record<string, string> = {
    SECRT_KEY: 'SECRET_KEY',
    SECRETKEY: 'SECRET_KEY',
    METRICS_TOKENS: 'METRICS_TOKEN',
    FALAI_API_KYE: 'FALAI_API_KEY',
    RUNWEY_API_KEY: 'RUNWAY_API_KEY',
    DATABASE_UR: 'DATABASE_URL',
    database_url: 'DATABASE_URL',
    ALLOW_PUBLIC_DEVELOPMENTS: 'ALLOW_PUBLIC_DEVELOPMENT',
  };
  for (const [name, meant] of Object.entries(written)) {
    assert.deepEqual((await readConfig({ [name]: 'x' })).warnings, [
      `${name} is not read: it may be a misspelt ${meant}`,
    ]);
  }
  const fine = { PATH: '/bin', HOME: '/root', PGHOST: 'x', SECRT_KEY: '', NODE_ENV: 'x', PORT: '1', HOST: '127.0.0.1' };
  assert.deepEqual((await readConfig({ ...fine, ...production })).warnings, []);
  const refused = await readConfig({ ...production, SECRET_KEY: undefined, SECRT_KEY: 'hush' }).catch(String);
  assert.match(String(refused), /^ {2}SECRET_KEY is missing.*\n {2}SECRT_KEY is not read/m);
  assert.doesNotMatch(String(refused), /hush/);
});

test('a key that no vendor issues is named in a warning: it switches the simulation off', async () => {
  const { warnings, settings } = await readConfig({ FALAI_API_KEY: 'abc' });
  assert.equal(settings.simulated.fal, false);
  assert.deepEqual(warnings, [
    'FALAI_API_KEY is too short for a key, and the vendor is called with it instead of being simulated',
  ]);
});

test('plain http to another machine is named in a warning where it is not refused', async () => {
  const plain = { PUBLIC_URL: 'http://api.example.com', ALERT_WEBHOOK_URL: 'http://hooks.example.com/x' };
  const { warnings } = await readConfig({
    ...everySecret,
    ...plain,
    ENVIRONMENT: 'staging',
    S3_ENDPOINT: 'http://minio:9000',
  });
  const named = warnings.filter((warning) => /plain http/.test(warning)).map((warning) => warning.split(' ')[0]);
  assert.deepEqual(named, ['PUBLIC_URL', 'S3_ENDPOINT', 'ALERT_WEBHOOK_URL']);
  const local = { ...everySecret, ENVIRONMENT: 'staging', S3_ENDPOINT: 'http://127.0.0.1:9000' };
  assert.doesNotMatch((await readConfig(local)).warnings.join(), /plain http/);
  assert.deepEqual((await readConfig(plain)).warnings, []);
});

test('a real key, a simulated DeviceCheck and a public address start together only if the operator says so', async () => {
  const exposed: Env[] = [
    { FALAI_API_KEY: 'fal-id:fal-secret', PUBLIC_URL: 'https://api.example.com' },
    { RUNWAY_API_KEY: 'key_0123456789ab', HOST: '0.0.0.0' },
    { PIKA_API_KEY: 'fal-id:fal-secret', HOST: '::' },
    { PIKA_API_KEY: 'fal-id:fal-secret', HOST: '192.168.1.7' },
    { FALAI_API_KEY: 'fal-id:fal-secret', HOST: 'api.internal' },
  ];
  for (const env of exposed) {
    const report = await reportOf(env);
    assert.deepEqual([...report.keys()], ['ALLOW_PUBLIC_DEVELOPMENT']);
    for (const name of Object.keys(env)) assert.match(report.get('ALLOW_PUBLIC_DEVELOPMENT') ?? '', new RegExp(name));
    assert.deepEqual(await reportedNames({ ...env, ALLOW_PUBLIC_DEVELOPMENT: 'no' }), ['ALLOW_PUBLIC_DEVELOPMENT']);
    await readConfig({ ...env, ALLOW_PUBLIC_DEVELOPMENT: 'yes' });
    await readConfig({ ...env, ENVIRONMENT: 'staging' });
    const deviceCheck = { APPLE_TEAM_ID: 'T', APPLE_DEVICECHECK_KEY_ID: 'K', APPLE_DEVICECHECK_PRIVATE_KEY: pem };
    await readConfig({ ...env, ...deviceCheck });
  }
  await readConfig({ HOST: '0.0.0.0', PUBLIC_URL: 'https://api.example.com' });
  for (const HOST of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) {
    await readConfig({ FALAI_API_KEY: 'fal-id:fal-secret', HOST, PUBLIC_URL: 'http://phone.local:8787' });
  }
});

test('an empty or blank variable counts as unset', async () => {
  const { settings } = await readConfig({ PORT: '', ENVIRONMENT: ' ', FALAI_API_KEY: '', S3_BUCKET: '\n' });
  assert.equal(settings.server.port, 8787);
  assert.equal(settings.simulated.fal, true);
  assert.deepEqual(await reportedNames({ ...production, SECRET_KEY: ' ' }), ['SECRET_KEY']);
});

test('keys of another curve or type are reported with the reason, and never printed', async () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const otherPoint = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  const unusable = {
    'another curve': pemOf('P-384'),
    'a similar curve': pemOf('secp256k1'),
    rsa: rsa.export({ type: 'pkcs8', format: 'pem' }).toString(),
    sec1: p256.privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    encrypted: p256.privateKey
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
      .toString(),
    'a public key': p256.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    'an incomplete key': pem.slice(0, 80),
    text: 'not a key',
  };
  for (const [kind, text] of Object.entries(unusable)) {
    for (const name of ['JWT_PRIVATE_KEY', 'APPLE_DEVICECHECK_PRIVATE_KEY']) {
      const report = await reportOf({ ...production, [name]: text });
      assert.deepEqual([...report.keys()], [name], kind);
      assert.ok(!report.get(name)?.includes(text.split('\n')[1] ?? text), kind);
    }
  }
  const jwks = [
    { ...jwk, d: undefined },
    { ...jwk, x: otherPoint.x, y: otherPoint.y },
    rsa.export({ format: 'jwk' }),
    { ...jwk, crv: 'P-384' },
  ];
  for (const key of jwks) {
    const names = await reportedNames({ ...production, JWT_PRIVATE_KEY: JSON.stringify(key) });
    assert.deepEqual(names, ['JWT_PRIVATE_KEY']);
  }
});

test('a signing key is the same as PEM, as PEM in one line, and as JWK', async () => {
  const formats = [pem, pem.replaceAll('\n', '\\n'), pem.replaceAll('\n', '\\r\\n'), JSON.stringify(jwk)];
  const kids = new Set<string>();
  for (const text of formats) {
    const key = (await readConfig({ JWT_PRIVATE_KEY: text })).secrets.jwtPrivateKey?.reveal();
    assert.ok(key);
    assert.equal(key.d, jwk.d);
    await importJWK(key, 'ES256');
    kids.add(key.kid);
  }
  assert.equal(kids.size, 1);
});

test('a JWK keeps its kid', async () => {
  const { secrets } = await readConfig({ JWT_PRIVATE_KEY: JSON.stringify({ ...jwk, kid: 'mine' }) });
  assert.equal(secrets.jwtPrivateKey?.reveal().kid, 'mine');
});

test('an Apple key is a valid PEM whatever its line breaks were', async () => {
  const oneLine = pem.trim().replaceAll('\n', '\\n');
  const { secrets } = await readConfig({ ...production, APPLE_DEVICECHECK_PRIVATE_KEY: oneLine });
  const read = secrets.deviceCheck?.privateKey.reveal() ?? '';
  assert.equal(read.trim(), pem.trim());
  await importPKCS8(read, 'ES256');
});

test('previous signing keys are read from several PEMs, a JWK and a JWK set, without their private parts', async () => {
  const publicPem = p256.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const counts: [string, number][] = [
    [`${pem}${publicPem}`.replaceAll('\n', '\\n'), 2],
    [JSON.stringify(jwk), 1],
    [JSON.stringify([jwk, jwk]), 2],
    [JSON.stringify({ keys: [{ ...jwk, kid: 'old' }] }), 1],
  ];
  for (const [text, count] of counts) {
    const keys = (await readConfig({ JWT_PREVIOUS_KEYS: text })).secrets.jwtPreviousKeys;
    assert.equal(keys.length, count);
    for (const key of keys) assert.ok(!('d' in key) && key.x === jwk.x && key.kid.length > 0);
  }
  for (const text of ['garbage', `${publicPem}garbage`, '[1]', pemOf('P-384')]) {
    assert.deepEqual(await reportedNames({ JWT_PREVIOUS_KEYS: text }), ['JWT_PREVIOUS_KEYS']);
  }
});

/** An environment with every secret. */
const everySecret: Env = {
  ...production,
  DATABASE_DIRECT_URL: 'postgres://owner:hunter3@db.example.com/rendio',
  JWT_PRIVATE_KEY: JSON.stringify(jwk),
  SECRET_KEY: 'the-key-of-everything-at-rest-0001',
  SUPABASE_URL: 'https://x.supabase.co',
  SUPABASE_ANON_KEY: 'anon-secret',
  SUPABASE_SERVICE_ROLE_KEY: 'service-secret',
  METRICS_TOKEN: 'the-metrics-secret',
  TELEGRAM_BOT_TOKEN: '1:telegram-secret',
  TELEGRAM_CHAT_ID: '-100',
  ALERT_WEBHOOK_URL: 'https://hooks.example.com/alert-secret',
  RUNWAY_API_KEY: 'runway-secret',
  PIKA_API_KEY: 'pika-secret',
  WEBHOOK_SECRET: 'the-webhook-secret',
  APPLE_APP_ID: '1234567890',
  APPLE_KEY_ID: 'K',
  APPLE_ISSUER_ID: 'I',
  APPLE_PRIVATE_KEY: pem,
  APPLE_SIGNIN_KEY_ID: 'K',
  APPLE_SIGNIN_PRIVATE_KEY: pem,
  APPLE_APNS_KEY_ID: 'K',
  APPLE_APNS_PRIVATE_KEY: pem,
  S3_ENDPOINT: 'https://s3.example.com',
  S3_REGION: 'eu',
  S3_BUCKET: 'b',
  S3_ACCESS_KEY_ID: 'AKIA',
  S3_SECRET_ACCESS_KEY: 's3-secret',
};

test('a printed configuration contains no secret', async () => {
  const config: Config = await readConfig(everySecret);
  const printed = `${JSON.stringify(config)}${inspect(config, { depth: null, showHidden: true })}${config.secrets.providers.fal?.apiKey}`;
  const shown = /hunter|-secret|at-rest|BEGIN/.exec(printed);
  assert.equal(shown, null, shown?.input.slice(shown.index - 40, shown.index + 40));
  assert.ok(!printed.includes(jwk.d ?? 'no key'));
  assert.match(printed, /\[secret\]/);
  assert.equal(config.secrets.webhookSecret?.reveal(), 'the-webhook-secret');
});

test('a report never contains a value', async () => {
  const invalid = Object.entries(everySecret).map(([name, value]) => [name, `${value} §`]);
  const report = await reportOf(Object.fromEntries(invalid));
  const text = [...report.values()].join('\n');
  assert.doesNotMatch(text, /hunter|-secret|§/);
  assert.ok(report.size > 15, `${report.size} lines`);
});

test('the direct database URL falls back to the database URL, and the Pika key to the fal key', async () => {
  const alone = (await readConfig(production)).secrets;
  assert.equal(alone.database?.directUrl.reveal(), production.DATABASE_URL);
  assert.equal(alone.providers.pika?.apiKey?.reveal(), production.FALAI_API_KEY);
  const own = (await readConfig(everySecret)).secrets;
  assert.equal(own.database?.directUrl.reveal(), everySecret.DATABASE_DIRECT_URL);
  assert.equal(own.providers.pika?.apiKey?.reveal(), 'pika-secret');
});

test('base URLs lose the slash at their end and keep their path', async () => {
  const { settings } = await readConfig({
    PUBLIC_URL: 'HTTP://Example.com:80/',
    APPLE_DEVICECHECK_URL: 'http://127.0.0.1:9/apple//',
  });
  assert.equal(settings.server.publicUrl, 'http://example.com');
  assert.equal(settings.apple.deviceCheckUrl, 'http://127.0.0.1:9/apple');
});

test('lists are read item by item, and each item is normalized', async () => {
  const { settings } = await readConfig({
    CORS_ORIGINS: 'https://App.example.com/, http://localhost:80 ,capacitor://localhost',
    MEDIA_ALLOWED_HOSTS: 'CDN.example.com, 127.0.0.1:9000,[::1]:8080',
    APPLE_BUNDLE_ID: 'com.example.app',
    APPLE_SERVICE_IDS: 'com.example.web, com.Example.admin,',
  });
  assert.deepEqual(
    settings.apple.serviceIds,
    ['com.example.web', 'com.Example.admin'],
    'Apple compares letters exactly',
  );
  assert.deepEqual(settings.server.corsOrigins, [
    'https://app.example.com',
    'http://localhost',
    'capacitor://localhost',
  ]);
  assert.deepEqual(settings.mediaAllowedHosts, ['cdn.example.com', '127.0.0.1:9000', '[::1]:8080']);
});

test('outside development the server rejects other origins and listens for other machines', async () => {
  const { settings } = await readConfig(production);
  assert.deepEqual(settings.server.corsOrigins, []);
  assert.equal(settings.server.host, '0.0.0.0');
});

test('DeviceCheck is asked at both of Apple’s hosts outside production, at one in production and at a URL that is set', async () => {
  const hostsIn = async (env: Env) => {
    const { deviceCheckUrl, deviceCheckOtherUrl } = (await readConfig(env)).settings.apple;
    return [deviceCheckUrl, deviceCheckOtherUrl];
  };
  const [main, development] = ['https://api.devicecheck.apple.com', 'https://api.development.devicecheck.apple.com'];
  assert.deepEqual(await hostsIn({}), [development, main]);
  assert.deepEqual(await hostsIn({ ENVIRONMENT: 'staging' }), [main, development]);
  assert.deepEqual(await hostsIn(production), [main, undefined]);
  const proxy = 'https://apple.example.com';
  for (const ENVIRONMENT of ['development', 'staging', 'production'])
    assert.deepEqual(await hostsIn({ ...production, ENVIRONMENT, APPLE_DEVICECHECK_URL: proxy }), [proxy, undefined]);
});

test('identity tokens may be made for the app and for each services id; codes are exchanged only with a key for it', async () => {
  const appleIdOf = async (env: Env) => realConnections(await readConfig({ ...production, ...env }), MANIFESTS).appleId;
  const alone = await appleIdOf({});
  assert.deepEqual(alone?.clientIds, ['com.example.app']);
  assert.deepEqual([alone?.key, alone?.baseUrl], [undefined, 'https://appleid.apple.com']);
  const key = { APPLE_SIGNIN_KEY_ID: 'K', APPLE_SIGNIN_PRIVATE_KEY: pem };
  const whole = await appleIdOf({ ...key, APPLE_SERVICE_IDS: 'com.example.web' });
  assert.deepEqual(whole?.clientIds, ['com.example.app', 'com.example.web']);
  assert.deepEqual([whole?.key?.teamId, whole?.key?.keyId], ['ABCDE12345', 'K']);
  assert.equal(realConnections(await readConfig({}), MANIFESTS).appleId, undefined);
});

test('purchases need the whole key, and are verified for the app that is named, under Apple’s own root', async () => {
  const { APPLE_APP_ID, APPLE_KEY_ID, APPLE_ISSUER_ID, APPLE_PRIVATE_KEY } = everySecret;
  const key = { APPLE_APP_ID, APPLE_KEY_ID, APPLE_ISSUER_ID, APPLE_PRIVATE_KEY };
  const connected = async (env: Env) =>
    realConnections(await readConfig({ ...production, ...env }), MANIFESTS).appStore;
  assert.equal(await connected({ APPLE_APP_ID }), undefined);
  const { fetch: _, key: read, ...access } = (await connected(key)) ?? assert.fail('not connected');
  assert.deepEqual([read.keyId, read.issuerId, read.privateKey.trim()], ['K', 'I', pem.trim()]);
  assert.deepEqual(access, {
    ...{ bundleId: 'com.example.app', appId: 1_234_567_890, roots: null },
    urls: { production: 'https://api.storekit.apple.com', sandbox: 'https://api.storekit-sandbox.apple.com' },
  });
});

test('roots that replace Apple’s are read at the start, from a file or a folder, in DER or PEM', async () => {
  const der = await readFile(new URL('../vectors/apple/certs/testCA.der', import.meta.url));
  const block = `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
  const folder = await mkdtemp(join(tmpdir(), 'rendio-roots-'));
  const rootsAt = async (name: string) => {
    const { appleRoots, settings } = await readConfig({ APPLE_ROOT_CERTS: join(folder, name) });
    assert.equal(settings.apple.rootCertsPath, join(folder, name));
    return appleRoots?.map((root) => Buffer.from(root).toString('hex'));
  };
  const root = der.toString('hex');
  const complaintAt = async (name: string) =>
    (await reportOf({ APPLE_ROOT_CERTS: join(folder, name) })).get('APPLE_ROOT_CERTS');
  try {
    await writeFile(join(folder, 'README'), 'no certificate');
    assert.match((await complaintAt('')) ?? '', /has no certificate in it: files that end in \.cer, /);
    await writeFile(join(folder, 'one.cer'), der);
    await writeFile(join(folder, 'two.PEM'), `some words\n${block}${block.replaceAll('\n', '\r\n')}`);
    assert.deepEqual(await rootsAt('one.cer'), [root]);
    assert.deepEqual(await rootsAt('two.PEM'), [root, root]);
    await writeFile(join(folder, 'three.cert'), der);
    await mkdir(join(folder, 'folder.pem'));
    assert.deepEqual(await rootsAt(''), [root, root, root, root]);
    await writeFile(join(folder, 'zero.der'), der.subarray(0, 100));
    assert.match((await complaintAt('')) ?? '', /zero\.der is no certificate/);
    await writeFile(join(folder, 'empty.pem'), '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----');
    assert.match((await complaintAt('empty.pem')) ?? '', /the file is no certificate/);
    await writeFile(join(folder, 'broken.pem'), block.replace(/=*\n-----END/, '*\n-----END'));
    assert.match((await complaintAt('broken.pem')) ?? '', /the file is no certificate/);
    assert.match((await complaintAt('nowhere')) ?? '', /cannot be read/);
  } finally {
    await rm(folder, { recursive: true });
  }
  assert.equal((await readConfig({})).appleRoots, null);
});

test('sandbox purchases are refused in production alone, and consumption is told only with consent', async () => {
  const appleIn = async (env: Env) => {
    const { sandboxPurchases, consumptionConsent, refundPreference } = (await readConfig(env)).settings.apple;
    return [sandboxPurchases, consumptionConsent, refundPreference];
  };
  assert.deepEqual(await appleIn({}), ['grant', false, null]);
  assert.deepEqual(await appleIn({ ENVIRONMENT: 'staging' }), ['grant', false, null]);
  assert.deepEqual(await appleIn(production), ['refuse', false, null]);
  const set = { APPLE_SANDBOX_PURCHASES: 'grant', APPLE_CONSUMPTION_CONSENT: 'on', APPLE_REFUND_PREFERENCE: 'DECLINE' };
  assert.deepEqual(await appleIn({ ...production, ...set }), ['grant', true, 'DECLINE']);
  assert.deepEqual(await appleIn({ APPLE_SANDBOX_PURCHASES: 'refuse' }), ['refuse', false, null]);
});

test('in development every vendor without a key is simulated, and only those', async () => {
  const simulatedIn = async (env: Env) => (await readConfig(env)).settings.simulated;
  const all = { fal: true, runway: true, pika: true, deviceCheck: true, appStore: true, appleId: true, apns: true };
  assert.deepEqual(await simulatedIn({}), all);
  assert.deepEqual(await simulatedIn({ APPLE_DEVICECHECK_URL: 'http://127.0.0.1:9' }), all);
  const { ENVIRONMENT: _, ...keys } = production;
  const called = { fal: false, pika: false, deviceCheck: false };
  // At a public address its credits would buy videos of a vendor who is paid.
  assert.deepEqual(await simulatedIn(keys), { ...all, ...called, appStore: false });
  assert.deepEqual(await simulatedIn({ ...keys, ALLOW_PUBLIC_DEVELOPMENT: 'yes' }), { ...all, ...called });
  assert.deepEqual(await simulatedIn({ ...keys, PUBLIC_URL: 'http://localhost:8787' }), { ...all, ...called });
  assert.deepEqual(await simulatedIn({ PIKA_API_KEY: 'k' }), { ...all, pika: false });
  assert.deepEqual(await simulatedIn({ APPLE_ID_URL: 'http://127.0.0.1:9' }), { ...all, appleId: false });
});

test('staging and production simulate no vendor', async () => {
  for (const ENVIRONMENT of ['staging', 'production']) {
    const { simulated } = (await readConfig({ ...production, ENVIRONMENT })).settings;
    assert.deepEqual(Object.values(simulated), Array(7).fill(false));
  }
});

test('.env.example names every variable once, in the order of the table, and sets none', async () => {
  const lines = (await readFile(new URL('../../.env.example', import.meta.url), 'utf8')).split('\n');
  const named = lines.flatMap((line) => /^# ([A-Z0-9_]+)=/.exec(line)?.[1] ?? []);
  assert.deepEqual(named, [...examplesOf(MANIFESTS).keys()]);
  assert.deepEqual(
    lines.filter((line) => line !== '' && !line.startsWith('#')),
    [],
  );
});

test('outgoing webhooks need a URL and secrets of Standard Webhooks; in production, https and a public host', async () => {
  const secretOf = (bytes: number) => `whsec_${randomBytes(bytes).toString('base64')}`;
  const [url, secret] = ['https://example.com/events', secretOf(24)];
  assert.equal((await readConfig({})).secrets.outgoingWebhook, undefined);
  assert.deepEqual(await reportedNames({ OUTGOING_WEBHOOK_URL: url }), ['OUTGOING_WEBHOOK_SECRET']);
  assert.deepEqual(await reportedNames({ OUTGOING_WEBHOOK_SECRET: secret }), ['OUTGOING_WEBHOOK_URL']);

  const read = async (env: Env) => (await readConfig(env)).secrets.outgoingWebhook;
  const both = { OUTGOING_WEBHOOK_URL: url, OUTGOING_WEBHOOK_SECRET: `${secret}  ${secretOf(64)}` };
  const found = await read({ ...production, ...both });
  assert.deepEqual([found?.url.reveal(), found?.secrets.reveal().length], [url, 2]);
  assert.ok(!inspect(await readConfig({ ...production, ...both }), { depth: 9 }).includes(secret));

  const weak = [
    secret.slice(6),
    'whsec_$(openssl rand -base64 32)',
    secretOf(23),
    secretOf(65),
    `${secret} short`,
    'whsec_',
  ];
  for (const each of [...weak, `${secretOf(32).replace('=', '')}`, 'whsec_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_']) {
    const line = (await reportOf({ ...both, OUTGOING_WEBHOOK_SECRET: each })).get('OUTGOING_WEBHOOK_SECRET');
    assert.match(line ?? '', /must be whsec_ and the base64 of 24 to 64 bytes/, each);
  }
  for (const each of [
    'http://example.com/',
    'https://localhost/',
    'https://127.0.0.1/',
    'https://10.0.0.7:8443/',
    'https://[::1]/',
  ]) {
    const env = { ...both, OUTGOING_WEBHOOK_URL: each };
    assert.deepEqual(await reportedNames({ ...production, ...env }), ['OUTGOING_WEBHOOK_URL'], each);
    for (const environment of ['development', 'staging']) {
      assert.equal((await read({ ...env, ENVIRONMENT: environment }))?.url.reveal(), each);
    }
  }
});
