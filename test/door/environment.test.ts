import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../src/app/config.ts';
import { edgeEnvironment, requireForIsolates } from '../../src/entry/door/environment.ts';
import { StartupError } from '../../src/kernel/startup-error.ts';

const HOSTED = {
  SUPABASE_URL: 'https://abcdefgh.supabase.co',
  SUPABASE_DB_URL: 'postgresql://postgres:pw@db.abcdefgh.supabase.co:5432/postgres',
  SUPABASE_ANON_KEY: 'anon',
  SUPABASE_SERVICE_ROLE_KEY: 'service',
};

test('the variables of Supabase replace those that are not set: the database, the URL, the keys', async () => {
  const { settings, secrets } = await readConfig(edgeEnvironment(HOSTED));
  assert.equal(settings.server.publicUrl, 'https://abcdefgh.supabase.co/functions/v1');
  assert.equal(secrets.database?.url.reveal(), HOSTED.SUPABASE_DB_URL);
  assert.equal(secrets.supabase?.serviceRoleKey.reveal(), 'service');
});

test('a variable that is set has precedence', () => {
  const own = { DATABASE_URL: 'postgres://mine/x', PUBLIC_URL: 'https://api.example.com' };
  const env = edgeEnvironment({ ...HOSTED, ...own });
  assert.deepEqual([env.DATABASE_URL, env.PUBLIC_URL], [own.DATABASE_URL, own.PUBLIC_URL]);
});

test('a project without legacy keys uses its newer keys', async () => {
  const { SUPABASE_ANON_KEY: _, SUPABASE_SERVICE_ROLE_KEY: __, ...rest } = HOSTED;
  const keys = {
    SUPABASE_PUBLISHABLE_KEYS: '{"default":"sb_publishable_x"}',
    SUPABASE_SECRET_KEYS: '{"default":"sb_secret_x"}',
  };
  const { secrets } = await readConfig(edgeEnvironment({ ...rest, ...keys }));
  assert.equal(secrets.supabase?.anonKey.reveal(), 'sb_publishable_x');
  assert.equal(secrets.supabase?.serviceRoleKey.reveal(), 'sb_secret_x');
  await assert.rejects(readConfig(edgeEnvironment({ ...rest, SUPABASE_SECRET_KEYS: 'no JSON' })), /SUPABASE_ANON_KEY/);
});

test('an isolate needs a database, a store for videos, and shared secrets: all that are missing are named at once', () => {
  const missingNames = (env: Record<string, string>) => {
    try {
      requireForIsolates(edgeEnvironment(env));
    } catch (error) {
      assert.ok(error instanceof StartupError);
      return [...error.message.matchAll(/^ {2}(\w+) is missing/gm)].map(([, name]) => name);
    }
    return [];
  };
  assert.deepEqual(missingNames({ ENVIRONMENT: 'production' }), [
    'DATABASE_URL',
    'S3_ENDPOINT',
    'JWT_PRIVATE_KEY',
    'SECRET_KEY',
  ]);
  assert.deepEqual(missingNames({ ...HOSTED }), ['S3_ENDPOINT']);
  assert.deepEqual(missingNames({ ...HOSTED, DATA_DIR: '/var/lib/rendio' }), []);
  const secrets = { JWT_PRIVATE_KEY: 'x', SECRET_KEY: 'y', S3_ENDPOINT: 'https://s3' };
  assert.deepEqual(missingNames({ ...HOSTED, ...secrets, ENVIRONMENT: 'production' }), []);
});
