/** The edge functions under Deno, with the permissions that Supabase's runtime gives them: a folder each, one file served. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import type { Job } from '../acceptance/support/answers.ts';
import { call, expectStatus } from '../acceptance/support/api.ts';
import { type Guest, newGuest, SHORT } from '../acceptance/support/guest.ts';
import { refresh } from '../acceptance/support/refresh.ts';
import { dataOf, newGuestDevice } from '../acceptance/support/supabase/clients.ts';
import { freePort } from '../acceptance/support/target.ts';
import { until } from '../acceptance/support/until.ts';
import { createTestDatabase, ownerPool, type TestDatabase } from '../support/postgres.ts';
import { startTestWorker } from '../support/server.ts';
import { makeImage } from '../support/upload-images.ts';
import { DENO_VERSIONS, type DenoProcess, makeIsolateFolder, startGateway } from './support/deno.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'supabase', 'functions');
const FUNCTIONS = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const SECRET_KEY = 'a secret of this test, long enough to be one';
const SERVICE_ROLE_KEY = 'sb_secret_of_this_test';
const TICK_TOKEN = createHmac('sha256', SECRET_KEY).update('rendio tick').digest('hex');

for (const version of DENO_VERSIONS) {
  describe(`the edge functions under Deno ${version}`, () => {
    let database: TestDatabase;
    let dataDir: string;
    let gateway: DenoProcess;
    let owner: pg.Pool;
    before(async () => {
      database = await createTestDatabase();
      owner = ownerPool(database.url, 1);
      dataDir = await makeIsolateFolder();
      const port = String(await freePort());
      const env = {
        PORT: port,
        DATA_DIR: dataDir,
        SUPABASE_DB_URL: database.url,
        SUPABASE_URL: `http://127.0.0.1:${port}`,
        SUPABASE_ANON_KEY: 'sb_publishable_of_this_test',
        SUPABASE_SERVICE_ROLE_KEY: SERVICE_ROLE_KEY,
        SECRET_KEY,
      };
      gateway = await startGateway({ version, env, functions: FUNCTIONS });
    });
    after(async () => {
      await gateway?.stop();
      await owner?.end();
      await database?.[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    });
    /** The URL of one function. The gateway's URL is also a base URL of the whole API. */
    const functionUrl = (name: string) => `${gateway.url}/${name}`;
    const tick = (token: string, method = 'POST') =>
      call<{ done: boolean; busy: boolean; expired: number }>('', method, functionUrl('tick'), { token });

    test('each function answers as the API does', async () => {
      const document: { paths: Record<string, Record<string, { security?: object[] }>> } = JSON.parse(
        readFileSync(join(FOLDER, '../../docs/openapi.json'), 'utf8'),
      );
      const named = Object.entries(document.paths).filter(([path]) => path.startsWith('/functions/v1/'));
      assert.ok(named.length > 10);
      for (const [path, operations] of named) {
        for (const [method, { security = [] }] of Object.entries(operations)) {
          const reply = await call('', method.toUpperCase(), functionUrl(path.slice('/functions/v1/'.length)), {
            ...(method === 'get' ? {} : { body: {} }),
          });
          if (security.length > 0) assert.equal(reply.status, 401, `${method} ${path}: ${reply.text}`);
          // An existing route may refuse the body or the token, but not the path or the method.
          assert.ok(![404, 405, 500, 503].includes(reply.status), `${method} ${path}: ${reply.text}`);
          assert.ok(reply.headers.get('x-request-id'), path);
        }
      }
    });

    test('the URL of the gateway is a base URL like any other: API, sessions, readiness', async () => {
      expectStatus(await call(gateway.url, 'GET', 'get-models'), 200);
      expectStatus(await call(gateway.url, 'GET', '/readyz'), 200);
      expectStatus(await call(gateway.url, 'GET', '/healthz'), 200);
      expectStatus(await call(gateway.url, 'GET', '/auth/v1/.well-known/jwks.json'), 200);
      const guest = await newGuest(gateway.url);
      const renewed = expectStatus(await refresh(gateway.url, guest.refreshToken), 200).body;
      const mine = await call('', 'GET', functionUrl('get-user-credits'), { token: renewed.access_token });
      assert.deepEqual(expectStatus(mine, 200).body, { credits_remaining: 10 });
    });

    test('Supabase’s client has sessions, functions and storage behind the URL of the gateway', async () => {
      const { supabase, id } = await newGuestDevice(gateway);
      assert.equal(dataOf(await supabase.auth.getUser()).user.id, id);
      assert.equal(dataOf(await supabase.auth.getClaims()).claims.sub, id);
      dataOf(await supabase.auth.updateUser({ data: { name: 'Ada' } }));
      assert.equal(dataOf(await supabase.auth.refreshSession()).user?.user_metadata.name, 'Ada');
      const bucket = supabase.storage.from('user_uploads');
      const [image, path] = [new Uint8Array(makeImage('png')), `${id.toUpperCase()}/a.png`];
      dataOf(await bucket.upload(path, image, { contentType: 'image/png' }));
      const { signedUrl } = dataOf(await bucket.createSignedUrl(path, 60));
      assert.equal((await fetch(signedUrl)).status, 200);
      assert.equal(dataOf(await bucket.list(id)).length, 1);
      const google = await supabase.auth.signInWithIdToken({ provider: 'google', token: 'x' });
      assert.deepEqual([google.error?.status, google.error?.code], [400, 'provider_disabled']);
      assert.equal((await supabase.auth.signOut()).error, null);
      assert.deepEqual((await call(gateway.url, 'GET', '/auth/v1/nowhere')).body.error_code, 'not_found');
    });

    test('the keys of the gateway identify no user', async () => {
      for (const token of ['sb_publishable_of_this_test', SERVICE_ROLE_KEY, 'eyJhbGciOiJIUzI1NiJ9.e30.x']) {
        expectStatus(await call('', 'GET', functionUrl('get-user-profile'), { token }), 401);
      }
      const headers = { apikey: 'sb_publishable_of_this_test' };
      const token = 'sb_publishable_of_this_test';
      expectStatus(await call('', 'GET', functionUrl('get-models'), { token, headers }), 200);
    });

    test('tick refuses callers that do not know the project’s secret', async () => {
      for (const token of ['x', `${TICK_TOKEN}0`, TICK_TOKEN.slice(1), 'sb_publishable_of_this_test']) {
        expectStatus(await tick(token), 401);
      }
      expectStatus(await call('', 'POST', functionUrl('tick')), 401);
      expectStatus(await tick(TICK_TOKEN, 'GET'), 405);
    });

    test('tick runs the tasks that are due: a generation fails, and its credits are refunded', async () => {
      const guest = await newGuest(gateway.url);
      const { job_id } = await guest.start({ prompt: 'a boat [sandbox:fail]', settings: SHORT });
      assert.equal(await guest.balance(), 9);
      assert.deepEqual(expectStatus(await tick(TICK_TOKEN), 200).body, {
        done: true,
        busy: false,
        expired: 0,
        requeued: 0,
      });
      await assertRefunded(guest, job_id, 'ERR_5003');
    });

    test('tick fails jobs past their deadline, also with the service-role key; one tick runs at a time', async () => {
      const guest = await newGuest(gateway.url);
      const { job_id } = await guest.start({ prompt: 'a boat [sandbox:timeout]', settings: SHORT });
      await owner.query(`update video_jobs set deadline_at = now() - interval '1 second' where job_id = $1`, [job_id]);
      const other = new pg.Client(database.url);
      await other.connect();
      try {
        await other.query(`select pg_advisory_lock(hashtextextended('tick', 0))`);
        const early = expectStatus(await tick(SERVICE_ROLE_KEY), 200).body;
        assert.deepEqual([early.busy, early.done, early.expired], [true, false, 0]);
      } finally {
        await other.end();
      }
      const { busy, done, expired } = expectStatus(await tick(SERVICE_ROLE_KEY), 200).body;
      assert.deepEqual([busy, done, expired], [false, true, 1]);
      await assertRefunded(guest, job_id, 'ERR_5001');
      assert.deepEqual((await owner.query('select * from broken_invariants()')).rows, []);
    });

    test('events stream through a function, over a database connection that listens only while a client does', async () => {
      const listening = async () =>
        (
          await owner.query(
            `select from pg_stat_activity where datname = current_database() and application_name = 'rendio-listen'`,
          )
        ).rowCount ?? 0;
      assert.equal(await listening(), 0);
      const guest = await newGuest(gateway.url);
      const closing = new AbortController();
      const headers = { Authorization: `Bearer ${guest.token}` };
      const response = await fetch(functionUrl('job-events'), { headers, signal: closing.signal });
      assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
      await guest.start({ prompt: 'a boat [sandbox:fail]', settings: SHORT });
      await tick(TICK_TOKEN);
      let received = '';
      const decoder = new TextDecoder();
      for await (const bytes of response.body ?? []) {
        received += decoder.decode(bytes, { stream: true });
        if (received.includes('event: failed')) break;
      }
      assert.match(received, /event: queued.*event: failed/s);
      closing.abort();
      await until(listening, (sessions) => sessions === 0, 'end of the listening connection');
    });

    test('with a Node worker on the same database: from onboarding to a video that plays, at a URL of the functions', async () => {
      await using _worker = await startTestWorker({
        env: { DATABASE_URL: database.url, DATA_DIR: dataDir, SECRET_KEY },
      });
      const guest = await newGuest(gateway.url);
      const { job_id } = await guest.start({ prompt: 'a paper boat', settings: SHORT });
      const job = await guest.waitFor(job_id, ['completed', 'failed']);
      assert.equal(job.status, 'completed');
      await assertPlays(gateway.url, job);
    });
  });
}

async function assertRefunded(guest: Guest, jobId: string, code: string): Promise<void> {
  const job = await guest.waitFor(jobId, ['failed', 'completed']);
  assert.deepEqual([job.status, job.error_code], ['failed', code]);
  assert.equal(await guest.balance(), 10);
}

async function assertPlays(base: string, job: Job): Promise<void> {
  const url = job.video_url ?? '';
  assert.ok(url.startsWith(`${base}/storage/v1/object/sign/videos/`), url);
  const response = await fetch(url, { headers: { Range: 'bytes=0-99' } });
  assert.deepEqual([response.status, response.headers.get('content-type')], [206, 'video/mp4']);
  const head = new TextDecoder('latin1').decode(await response.arrayBuffer());
  assert.equal(head.slice(4, 8), 'ftyp');
  assert.equal((await fetch(job.thumbnail_url ?? '')).headers.get('content-type'), 'image/jpeg');
}

describe('an edge function that cannot start', () => {
  test('logs the reason, answers 503 with Retry-After, and shows no secret', async () => {
    const env = { ENVIRONMENT: 'staging', SUPABASE_DB_URL: 'postgres://owner:very-secret@127.0.0.1:1/none' };
    await using gateway = await startGateway({ version: 'newest', env, functions: ['get-models'] });
    const reply = await call('', 'GET', `${gateway.url}/get-models`);
    assert.equal(expectStatus(reply, 503).headers.get('retry-after'), '5');
    const log = gateway.output();
    for (const name of ['S3_ENDPOINT', 'JWT_PRIVATE_KEY', 'SECRET_KEY']) assert.match(log, new RegExp(name));
    assert.doesNotMatch(reply.text + log, /very-secret/);
  });
});
