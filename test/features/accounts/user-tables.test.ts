/**
 * What a merge and a deletion do with every column that names a user. A column that is missing here fails the test: decide what
 * happens to it, in `merge_guest` and in `delete_account` or `erase_account`, and add it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createPeople, newSub, type People, type Person } from '../../support/people.ts';
import { userColumns } from '../../support/tables.ts';

type Fate = {
  /** Adds a row with this id in the column; null: `seedOthers` or the account itself has one. */
  seed: string | null;
  /** `never`: no guest that can be merged has such a row. `administrator`: only what is no account of a user has one. */
  merge: 'moves' | 'stays' | 'goes' | 'never' | 'administrator';
  /** `nameless`: the row stays, without the id. */
  deletion: 'stays' | 'goes' | 'nameless';
};

const SHA = 'a'.repeat(64);

const ADMINISTRATOR = `insert into administrators (user_id, email) values ($1, gen_random_uuid()::text || '@example.com')
  on conflict (user_id) do nothing`;

const COLUMNS: Record<string, Fate> = {
  'admin_actions.admin_user_id': {
    seed: `insert into admin_actions (admin_user_id, action_type, reason) values ($1, 'user_ban', 'spam')`,
    merge: 'stays',
    deletion: 'stays',
  },
  'admin_actions.target_user_id': {
    seed: `insert into admin_actions (target_user_id, action_type, reason) values ($1, 'user_ban', 'spam')`,
    merge: 'stays',
    deletion: 'stays',
  },
  // No session of a user is ever opened for an administrator, and none is merged or deleted.
  'admin_links.admin_user_id': {
    seed: `with administrator as (${ADMINISTRATOR})
           insert into admin_links (token_hash, admin_user_id, expires_at)
           values (sha256(convert_to(gen_random_uuid()::text, 'UTF8')), $1, now())`,
    merge: 'administrator',
    deletion: 'stays',
  },
  'admin_sessions.admin_user_id': {
    seed: `with administrator as (${ADMINISTRATOR})
           insert into admin_sessions (id, admin_user_id, opened_by, expires_at) values (gen_random_uuid(), $1, 'link', now())`,
    merge: 'administrator',
    deletion: 'stays',
  },
  'administrators.user_id': { seed: ADMINISTRATOR, merge: 'administrator', deletion: 'stays' },
  'apple_identities.user_id': { seed: null, merge: 'never', deletion: 'goes' },
  'apple_tokens.user_id': {
    seed: `insert into apple_tokens (user_id, client_id, sealed_token) values ($1, 'com.example.rendio', '\\x01')`,
    merge: 'never',
    deletion: 'goes',
  },
  'code_uses.user_id': {
    seed: `with new as (
             insert into codes (code, credits, uses, uses_max)
             values (upper(replace(gen_random_uuid()::text, '-', '')), 5, 1, 1) returning id
           )
           insert into code_uses (code_id, user_id) select id, $1 from new`,
    merge: 'moves',
    deletion: 'stays',
  },
  // Every account that has been given credits has one.
  'credit_lots.user_id': { seed: null, merge: 'moves', deletion: 'stays' },
  // The grant of the device: it stays with the id that has had it.
  'device_grants.user_id': {
    seed: `insert into device_grants (user_id, state) values ($1, 'claiming')`,
    merge: 'stays',
    deletion: 'stays',
  },
  'error_log.user_id': {
    seed: `insert into error_log (user_id, error_code, request_data) values ($1, 'ERR_5002', '{"prompt": "a cat"}')`,
    merge: 'moves',
    deletion: 'nameless',
  },
  'idempotency_log.user_id': {
    seed: `insert into idempotency_log (user_id, idempotency_key, operation_type, request_hash, response_data, status_code)
           values ($1, gen_random_uuid(), 'generate_video', '${SHA}', '{}', 200)`,
    merge: 'moves',
    deletion: 'goes',
  },
  // The counters of the guest stay, at zero.
  'job_counters.user_id': { seed: null, merge: 'stays', deletion: 'stays' },
  'merged_users.survivor_id': {
    seed: `with guest as (insert into users (began_anonymous, deleted_at) values (true, now()) returning id)
           insert into merged_users (user_id, survivor_id) select id, $1 from guest`,
    merge: 'never',
    deletion: 'stays',
  },
  'merged_users.user_id': { seed: null, merge: 'never', deletion: 'stays' },
  'proven_devices.user_id': {
    seed: 'insert into proven_devices (user_id) values ($1)',
    merge: 'goes',
    deletion: 'goes',
  },
  // Whose attempt, event or notification it was; without the person of a deleted account.
  'provider_attempts.user_id': {
    seed: `insert into provider_attempts (job_id, user_id, attempt, provider, provider_model_id, state, closed_at)
           select job_id, user_id, 9, provider, provider_model_id, 'declined', now() from video_jobs where user_id = $1 limit 1`,
    merge: 'stays',
    deletion: 'stays',
  },
  'provider_events.user_id': {
    seed: `insert into provider_events (sender, event_key, user_id, effect) values ('fal', gen_random_uuid(), $1, 'ignored')`,
    merge: 'stays',
    deletion: 'stays',
  },
  // A transaction that was claimed once stays claimed.
  'purchases.user_id': {
    seed: `insert into purchases (store, environment, transaction_id, user_id) values ('apple', 'Sandbox', gen_random_uuid(), $1)`,
    merge: 'moves',
    deletion: 'stays',
  },
  'push_tokens.user_id': {
    seed: `insert into push_tokens (user_id, token, environment)
           values ($1, encode(sha256(gen_random_uuid()::text::bytea), 'hex'), 'sandbox')`,
    merge: 'moves',
    deletion: 'goes',
  },
  'pushes.user_id': {
    seed: `insert into pushes (user_id, job_id, token_id, kind, expires_at)
           values ($1, gen_random_uuid(), gen_random_uuid(), 'video_ready', now() + interval '1 day')`,
    merge: 'moves',
    deletion: 'goes',
  },
  // The ledger only grows.
  'quota_log.user_id': { seed: null, merge: 'stays', deletion: 'stays' },
  'rate_limit_log.user_id': {
    seed: `insert into rate_limit_log (user_id, action, ip_address) values ($1, 'generations', '203.0.113.9')`,
    merge: 'moves',
    deletion: 'nameless',
  },
  // Without the text, once the reporter is gone.
  'reports.reporter_user_id': {
    seed: `insert into reports (job_id, user_id, reporter_user_id, source, reason)
           values (gen_random_uuid(), gen_random_uuid(), $1, 'share', 'not a cat')`,
    merge: 'moves',
    deletion: 'stays',
  },
  // Whose video was reported.
  'reports.user_id': {
    seed: `insert into reports (job_id, user_id, reporter_user_id, source, reason)
           values (gen_random_uuid(), $1, gen_random_uuid(), 'share', 'not a cat')`,
    merge: 'moves',
    deletion: 'stays',
  },
  'sessions.user_id': { seed: null, merge: 'moves', deletion: 'goes' },
  'store_notifications.user_id': {
    seed: `insert into store_notifications (store, notification_id, type, signed_at, user_id)
           values ('apple', gen_random_uuid(), 'REFUND', now(), $1)`,
    merge: 'stays',
    deletion: 'stays',
  },
  'uploads.user_id': {
    seed: `insert into uploads (user_id, path, file, content_type, bytes, width, height, sha256, stored_at)
           select $1::uuid, $1::uuid || '/' || id, 'user_uploads/' || $1::uuid || '/' || id || '.png', 'image/png', 9, 320, 320, '${SHA}', now()
           from (select gen_random_uuid() as id) new`,
    merge: 'moves',
    deletion: 'goes',
  },
  // The hash of a token that may not be used again.
  'used_identity_tokens.user_id': {
    seed: `insert into used_identity_tokens (token_hash, user_id, expires_at)
           values (sha256(convert_to(gen_random_uuid()::text, 'UTF8')), $1, now() + interval '1 hour')`,
    merge: 'stays',
    deletion: 'stays',
  },
  'user_bans.user_id': {
    seed: `insert into user_bans (user_id, reason) values ($1, 'spam')`,
    merge: 'never',
    deletion: 'stays',
  },
  'user_events.user_id': { seed: null, merge: 'moves', deletion: 'goes' },
  'user_metadata.user_id': {
    seed: `insert into user_metadata (user_id, data) values ($1, '{"nickname": "ada"}')`,
    merge: 'moves',
    deletion: 'goes',
  },
  'video_jobs.user_id': { seed: null, merge: 'moves', deletion: 'stays' },
  // What the operator's own server is told: it names an account without a person, and is pruned.
  'webhook_deliveries.user_id': {
    seed: `insert into webhook_deliveries (user_id, type, payload) values ($1, 'video.failed', '{}')`,
    merge: 'moves',
    deletion: 'stays',
  },
};

describe('every column that names a user', () => {
  let people: People;
  before(async () => {
    people = await createPeople();
  });
  after(() => people[Symbol.asyncDispose]());

  const named = Object.keys(COLUMNS);
  const tableOf = (column: string) => column.slice(0, column.indexOf('.'));
  async function count(column: string, id: string): Promise<number> {
    const [row] = await people.rows(
      `select count(*)::int as n from ${tableOf(column)} where ${column.slice(column.indexOf('.') + 1)} = $1`,
      [id],
    );
    return Number(row?.n);
  }
  const total = async (column: string) =>
    Number((await people.rows(`select count(*)::int as n from ${tableOf(column)}`))[0]?.n);

  /** A row of each kind: jobs, ledger rows, counters, events and a session come with a generation. */
  async function seed(person: Person, kinds: Fate['merge'][]): Promise<void> {
    await people.app.generate(person.id);
    for (const { seed: sql, merge } of Object.values(COLUMNS)) {
      if (sql && kinds.includes(merge)) await people.rows(sql, [person.id]);
    }
  }

  it('is listed here, and no other', async () => {
    assert.deepEqual(await userColumns(people.app.owner), named);
  });

  it('of a merged guest goes where its list says', async () => {
    const sub = newSub();
    const [survivor, guest] = [await people.appleUser(sub, 0), await people.guest()];
    // Only the guest has any, so that it moves.
    await people.rows('delete from user_metadata where user_id = $1', [survivor.id]);
    await seed(guest, ['moves', 'stays', 'goes']);
    const counts = async () =>
      new Map(
        await Promise.all(
          named.map(
            async (column) =>
              [column, { guest: await count(column, guest.id), survivor: await count(column, survivor.id) }] as const,
          ),
        ),
      );
    const earlier = await counts();
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    const later = await counts();
    for (const [column, { merge }] of Object.entries(COLUMNS)) {
      const [was, is] = [earlier.get(column), later.get(column)];
      assert.ok(was && is);
      if (merge === 'never' || merge === 'administrator') {
        assert.equal(was.guest, 0, `${column} has no row`);
        continue;
      }
      assert.ok(was.guest > 0, `${column} has a row`);
      const stays = merge === 'stays';
      if (stays) assert.ok(is.guest >= was.guest, `${column} stays`);
      else assert.equal(is.guest, 0, `${column} has none of the guest’s id`);
      if (merge === 'moves') assert.ok(is.survivor >= was.survivor + was.guest, `${column} moves to the survivor`);
      if (merge === 'goes') assert.equal(is.survivor, was.survivor, `${column} goes`);
    }
    const counters = await people.rows('select jobs from job_counters where user_id = $1 and jobs > 0', [guest.id]);
    assert.deepEqual(counters, []);
    await people.assertUnbroken();
  });

  it('of a deleted account goes where its list says', async () => {
    const sub = newSub();
    const [person, guest] = [await people.appleUser(sub), await people.guest()];
    assert.equal((await people.merge(guest.token, { sub })).status, 200);
    // What else is in the queue would add rows.
    await people.app.drain();
    // A banned account is deleted by Apple’s notification.
    await seed(person, ['moves', 'stays', 'goes', 'never']);
    const was = new Map(
      await Promise.all(named.map(async (column) => [column, await count(column, person.id)] as const)),
    );
    const totals = new Map(await Promise.all(named.map(async (column) => [column, await total(column)] as const)));
    const payload = await people.apple.notification({ type: 'account-delete', sub });
    assert.equal((await people.call(person.token, 'apple-account-notifications', { payload })).status, 200);
    await people.app.drain();
    for (const [column, { merge, deletion }] of Object.entries(COLUMNS)) {
      if (merge === 'administrator') continue;
      const before = was.get(column) ?? 0;
      if (column !== 'merged_users.user_id') assert.ok(before > 0, `${column} has a row`);
      const now = await count(column, person.id);
      if (deletion === 'stays') assert.ok(now >= before, `${column} stays`);
      else assert.equal(now, 0, `${column} names the person no more`);
      if (deletion === 'nameless')
        assert.ok((await total(column)) >= (totals.get(column) ?? 0), `rows of ${column} stay`);
      if (deletion === 'goes')
        assert.ok((await total(column)) <= (totals.get(column) ?? 0) - before, `rows of ${column} go`);
    }
    await people.assertUnbroken();
  });
});
