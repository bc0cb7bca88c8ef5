/** Rendio's migrations on a Supabase project, applied by the Supabase CLI: the permissions, and a server that runs on it. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import pg from 'pg';
import { readConfig } from '../../src/app/config.ts';
import { migrate } from '../../src/db/migrate.ts';
import { createTokens } from '../../src/features/accounts/tokens.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { EXPECTED_PERMISSIONS, scanPermissions } from '../support/permissions.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { startTestServer } from '../support/server.ts';
import { createSupabaseProject, type SupabaseProject, supabase } from './support/project.ts';

type Role = 'anon' | 'authenticated';

describe('on a Supabase project', () => {
  let project: SupabaseProject;
  let firstPush: string;
  before(async () => {
    project = await createSupabaseProject();
    firstPush = await project.push();
  });
  after(() => project[Symbol.asyncDispose]());

  /** Runs statements as PostgREST and Storage do for a caller, and rolls them back. */
  async function as<T>(role: Role, userId: string | null, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
    const client = await project.admin.connect();
    try {
      await client.query('begin');
      const claims = JSON.stringify({ role, ...(userId && { sub: userId }) });
      await client.query(`select set_config('request.jwt.claims', $1, true), set_config('role', $2, true)`, [
        claims,
        role,
      ]);
      return await work(client);
    } finally {
      await client.query('rollback');
      client.release();
    }
  }
  const namesIn = async (client: pg.ClientBase) =>
    (await client.query<{ name: string }>('select name from storage.objects order by name')).rows.map(
      ({ name }) => name,
    );
  const refused = { code: '42501' };

  test('the CLI applies every migration once, and has nothing to do the second time', async () => {
    assert.match(firstPush, /Applying migration \d+_0001_foundation\.sql/);
    assert.match(firstPush, /Applying migration \d+_behaviour\.sql/);
    assert.match(await project.push(), /up to date/);
  });

  test('the migration of a server finds nothing left to do', async () => {
    const report = await migrate({ url: project.url, log: silentLog });
    assert.deepEqual(report, { migrations: [], procedures: [], queue: false });
  });

  test('the schema of the queue is the one that the library itself makes', async () => {
    await using plain = await createTestDatabase();
    const client = new pg.Client(plain.url);
    await client.connect();
    try {
      const wanted = await describeQueue(client);
      assert.ok(wanted.length > 50);
      assert.deepEqual(await describeQueue(project.admin), wanted);
    } finally {
      await client.end();
    }
  });

  test('the project’s default privileges give no role any rights, not even service_role', async () => {
    assert.deepEqual(await scanPermissions(project.admin), EXPECTED_PERMISSIONS);
    const userId = await addUser(project.admin);
    for (const role of ['anon', 'authenticated'] as const) {
      for (const statement of [
        `select public.add_credits('${userId}', 1000, 'iap_purchase')`,
        `select public.deduct_credits('${userId}', 1)`,
        `update public.users set credits_remaining = 1000`,
        `insert into public.quota_log (user_id, change, reason, balance_after) values ('${userId}', 5, 'iap_purchase', 5)`,
        'select * from graphile_worker._private_jobs',
        'select * from public.refresh_tokens',
      ]) {
        await as(role, userId, (client) => assert.rejects(client.query(statement), refused, `${role}: ${statement}`));
      }
    }
  });

  test('users read their own profile and jobs through the Data API, and those of no other user', async () => {
    const [mine, other] = [await addUser(project.admin), await addUser(project.admin)];
    const job = await addJob(project.admin, mine);
    await addJob(project.admin, other);
    await as('authenticated', mine, async (client) => {
      assert.deepEqual((await client.query('select id from public.users')).rows, [{ id: mine }]);
      assert.deepEqual((await client.query('select job_id from public.video_jobs')).rows, [{ job_id: job }]);
    });
    await as('authenticated', null, async (client) => {
      assert.equal((await client.query('select from public.video_jobs')).rowCount, 0);
    });
    await as('anon', null, async (client) => {
      assert.ok(((await client.query('select from public.models')).rowCount ?? 0) > 0);
      await assert.rejects(client.query('select from public.video_jobs'), refused);
    });
  });

  test('the three buckets are private, limit the types of files, and leave the limits of size to the server', async () => {
    const { rows } = await project.admin.query(
      'select id, public, file_size_limit as bytes, allowed_mime_types as types from storage.buckets order by id',
    );
    assert.deepEqual(rows, [
      { id: 'thumbnails', public: false, bytes: null, types: ['image/jpeg', 'image/png', 'image/webp'] },
      { id: 'user_uploads', public: false, bytes: null, types: ['image/jpeg', 'image/png', 'image/webp'] },
      { id: 'videos', public: false, bytes: null, types: ['video/mp4', 'video/quicktime', 'video/webm'] },
    ]);
  });

  test('only the owner sees a file, in each of the buckets', async () => {
    const [mine, other] = [await addUser(project.admin), await addUser(project.admin)];
    for (const bucket of ['videos', 'thumbnails', 'user_uploads']) {
      for (const userId of [mine, other]) await addObject(project.admin, bucket, `${userId}/2026-11/a`);
      await addObject(project.admin, bucket, `at the root ${bucket}`);
    }
    await as('authenticated', mine, async (client) => {
      assert.deepEqual(await namesIn(client), Array(3).fill(`${mine}/2026-11/a`));
    });
    await as('authenticated', null, async (client) => assert.deepEqual(await namesIn(client), []));
    await as('anon', mine, async (client) => assert.deepEqual(await namesIn(client), []));
  });

  test('the folders of a merged guest are the survivor’s, in any case, and nobody’s once the session has ended', async () => {
    const [survivor, guest, other] = [
      await addUser(project.admin),
      await addUser(project.admin),
      await addUser(project.admin),
    ];
    await project.admin.query('insert into public.merged_users (user_id, survivor_id) values ($1, $2)', [
      guest,
      survivor,
    ]);
    const names = [`${survivor}/a`, `${guest.toUpperCase()}/b`, `${guest}/c`].sort();
    for (const name of [...names, `${other}/d`]) await addObject(project.admin, 'user_uploads', name);
    for (const userId of [survivor, guest]) {
      await as('authenticated', userId, async (client) => {
        const mine = (await namesIn(client)).filter((name) => /\/[a-d]$/.test(name));
        assert.deepEqual(mine.sort(), names);
        await client.query("select set_config('request.jwt.claims', $1, true)", [
          JSON.stringify({ role: 'authenticated', sub: userId, session_id: randomUUID() }),
        ]);
        assert.deepEqual(await namesIn(client), []);
        assert.equal((await client.query('delete from storage.objects')).rowCount, 0);
      });
    }
    await as('authenticated', guest, async (client) => {
      const removed = await client.query('delete from storage.objects returning name');
      assert.deepEqual(removed.rows.map(({ name }) => name).sort(), names);
    });
  });

  test('users cannot add or change a file without the server’s checks, and can remove files only in their own folder of user_uploads', async () => {
    const [mine, other] = [await addUser(project.admin), await addUser(project.admin)];
    for (const userId of [mine, other]) {
      for (const bucket of ['videos', 'user_uploads']) await addObject(project.admin, bucket, `${userId}/there`);
    }
    const add = (client: pg.ClientBase, bucket: string, name: string) =>
      client.query('insert into storage.objects (bucket_id, name) values ($1, $2)', [bucket, name]);
    for (const [bucket, name] of [
      ['user_uploads', `${mine}/a.png`],
      ['user_uploads', `${other}/a.png`],
      ['user_uploads', 'a.png'],
      ['videos', `${mine}/a.mp4`],
      ['thumbnails', `${mine}/a.jpg`],
    ] as const) {
      for (const role of ['authenticated', 'anon'] as const) {
        await as(role, mine, (client) => assert.rejects(add(client, bucket, name), refused, `${bucket}/${name}`));
      }
    }
    await as('authenticated', mine, async (client) => {
      const changed = await client.query(`update storage.objects set name = $1`, [`${mine}/b.png`]);
      assert.equal(changed.rowCount, 0);
      assert.equal((await client.query('delete from storage.objects')).rowCount, 1, 'what was in user_uploads');
    });
  });

  test('Realtime publishes the jobs, whose rows only their owner may read', async () => {
    const { rows } = await project.admin.query(
      `select schemaname, tablename from pg_publication_tables where pubname = 'supabase_realtime'`,
    );
    assert.deepEqual(rows, [{ schemaname: 'public', tablename: 'video_jobs' }]);
  });

  test('a server that logs in as the project’s owner acts as rendio_server, and runs a job to its end', async () => {
    await using server = await startTestServer({ env: { DATABASE_URL: project.url } });
    const post = async (name: string, body: object, headers: Record<string, string> = {}) => {
      const response = await fetch(`${server.url}/functions/v1/${name}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
      assert.equal(response.status, 200);
      return response.json();
    };
    const { session } = await post('device-check', {
      device_id: randomUUID(),
      device_token: btoa(`device:${randomUUID()}`),
    });
    const { models } = await (await fetch(`${server.url}/functions/v1/get-models`)).json();
    const { id: model_id } = models.find(({ provider }: { provider: string }) => provider === 'sandbox');
    const headers = { Authorization: `Bearer ${session.access_token}`, 'Idempotency-Key': randomUUID() };
    const body = { model_id, prompt: 'a boat [sandbox:fail]' };
    const { job_id } = await post('generate-video', body, headers);
    const { rows } = await until(
      () => project.admin.query('select status, error_code from video_jobs where job_id = $1', [job_id]),
      ({ rows: [job] }) => job?.status === 'failed',
    );
    assert.deepEqual(rows, [{ status: 'failed', error_code: 'ERR_5003' }]);
    const { rows: roles } = await project.admin.query(
      `select distinct usename from pg_stat_activity where application_name like 'rendio%'`,
    );
    assert.deepEqual(roles, [{ usename: 'postgres' }]);
    const ledger = await project.admin.query(
      'select change, balance_after from quota_log where job_id = $1 order by seq',
      [job_id],
    );
    assert.deepEqual(ledger.rows, [
      { change: -1, balance_after: 9 },
      { change: 1, balance_after: 10 },
    ]);
  });
});

test('a key that the CLI makes for import signs our tokens, with its own kid and the role that Supabase expects', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'rendio-key-'));
  t.after(() => rm(home, { recursive: true, force: true }));
  const output = await supabase(['gen', 'signing-key', '--algorithm', 'ES256'], home);
  const text = /^\{.*\}$/m.exec(output)?.[0] ?? '';
  const { secrets } = await readConfig({ JWT_PRIVATE_KEY: text });
  assert.ok(secrets.jwtPrivateKey);
  const tokens = createTokens({
    privateKey: secrets.jwtPrivateKey.reveal(),
    clock: systemClock,
    issuer: 'http://x/auth/v1',
  });
  const userId = randomUUID();
  const { accessToken } = await tokens.sign({ userId, sessionId: randomUUID(), isAnonymous: true, amr: [] });
  const header = decodeProtectedHeader(accessToken);
  assert.deepEqual([header.alg, header.kid], ['ES256', JSON.parse(text).kid]);
  const { sub, role, aud } = decodeJwt(accessToken);
  assert.deepEqual([sub, role, aud], [userId, 'authenticated', 'authenticated']);
});

/** The columns, functions, indexes, constraints, policies and migrations of the queue, one line each. */
async function describeQueue(client: Pick<pg.ClientBase, 'query'>): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(`
    select line from (
      select 'column ' || table_name || ' ' || column_name || ' ' || data_type || ' ' || coalesce(column_default, '') as line
      from information_schema.columns where table_schema = 'graphile_worker'
      union all
      select 'function ' || pg_get_functiondef(p.oid) from pg_proc p where p.pronamespace = 'graphile_worker'::regnamespace
      union all
      select 'index ' || indexdef from pg_indexes where schemaname = 'graphile_worker'
      union all
      select 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid)
      from pg_constraint where connamespace = 'graphile_worker'::regnamespace and contype <> 'n'
      union all
      select 'policy ' || tablename || ' ' || policyname || ' ' || roles::text from pg_policies where schemaname = 'graphile_worker'
      union all
      select 'step ' || id || ' ' || breaking from graphile_worker.migrations
    ) lines order by line`);
  return rows.map(({ line }) => line);
}

async function addUser(admin: pg.Pool): Promise<string> {
  const { rows } = await admin.query<{ id: string }>('insert into public.users (device_id) values ($1) returning id', [
    randomUUID(),
  ]);
  assert.ok(rows[0]);
  return rows[0].id;
}

async function addJob(admin: pg.Pool, userId: string): Promise<string> {
  const { rows } = await admin.query<{ job_id: string }>(
    `insert into public.video_jobs (user_id, model_id, model_name, provider, provider_model_id, prompt, credits_used, deadline_at)
     select $1, id, name, provider, provider_model_id, 'a cat', 1, now() + interval '1 hour' from public.models limit 1
     returning job_id`,
    [userId],
  );
  assert.ok(rows[0]);
  return rows[0].job_id;
}

async function addObject(admin: pg.Pool, bucket: string, name: string): Promise<void> {
  await admin.query('insert into storage.objects (bucket_id, name) values ($1, $2)', [bucket, name]);
}

const UNTIL_MS = 90_000;

async function until<State>(read: () => Promise<State>, isDone: (state: State) => boolean): Promise<State> {
  const end = performance.now() + UNTIL_MS;
  for (;;) {
    const state = await read();
    if (isDone(state)) return state;
    assert.ok(performance.now() < end, `not within ${UNTIL_MS} ms: ${JSON.stringify(state)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
