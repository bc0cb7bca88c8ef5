/** A server that is killed with -9 after it has answered a notification of the App Store: what the notification says still happens, once. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { exportPKCS8, generateKeyPair } from 'jose';
import type pg from 'pg';
import { newGuest } from '../acceptance/support/guest.ts';
import { until } from '../media/until.ts';
import { APP_ID, createTestAppStore, newTransactionId, type TestAppStore } from '../support/app-store.ts';
import { BUNDLE_ID } from '../support/apple-id.ts';
import { createTestDatabase, ownerPool } from '../support/postgres.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

/** Any number that no server uses. */
const HELD = 987_654_322;

describe('a server that is killed after the 200 to a notification', () => {
  let owner: pg.Pool;
  let store: TestAppStore;
  let env: Record<string, string>;
  let next: TestServer;
  const closing: (() => Promise<unknown>)[] = [];
  before(async () => {
    const database = await createTestDatabase();
    owner = ownerPool(database.url, 3);
    const folder = await mkdtemp(join(tmpdir(), 'rendio-roots-'));
    closing.push(
      () => owner.end(),
      () => database[Symbol.asyncDispose](),
      () => rm(folder, { recursive: true }),
    );
    store = await createTestAppStore();
    await Promise.all(store.roots.map((root, index) => writeFile(join(folder, `${index}.der`), root)));
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const key = await exportPKCS8(privateKey);
    env = {
      ...{ DATABASE_URL: database.url, JWT_PRIVATE_KEY: key, SECRET_KEY: randomBytes(32).toString('hex') },
      ...{ APPLE_BUNDLE_ID: BUNDLE_ID, APPLE_APP_ID: String(APP_ID), APPLE_ROOT_CERTS: folder },
      ...{ APPLE_KEY_ID: '2X9R4HXF34', APPLE_ISSUER_ID: randomUUID(), APPLE_PRIVATE_KEY: key },
    };
  });
  after(async () => {
    await next.stop();
    for (const close of closing) await close();
  });

  async function notified(server: TestServer) {
    const guest = await newGuest(server.url);
    const transaction = { transactionId: newTransactionId(), appAccountToken: guest.userId };
    const signedPayload = await store.signNotification({ notificationType: 'ONE_TIME_CHARGE', transaction });
    const { status } = await guest.post('apple-server-notifications', { signedPayload });
    assert.equal(status, 200);
    return guest.userId;
  }

  async function assertCreditedOnce(userId: string): Promise<void> {
    const purchases = async () =>
      (await owner.query(`select change from quota_log where user_id = $1 and reason = 'iap_purchase'`, [userId])).rows;
    await until(async () => (await purchases()).length > 0);
    await until(async () => {
      const { rows } = await owner.query('select from store_notifications where processed_at is null');
      return rows.length === 0;
    });
    assert.deepEqual(await purchases(), [{ change: 10 }]);
    assert.deepEqual((await owner.query('select * from broken_invariants()')).rows, []);
  }

  it('before the worker begins', async () => {
    const server = await startTestServer({ env: { ...env, WORKER: 'off' } });
    const userId = await notified(server);
    await server.kill('SIGKILL');
    next = await startTestServer({ env });
    await assertCreditedOnce(userId);
  });

  it('while the worker moves the credits', async () => {
    await owner.query(`
      create function hold() returns trigger language plpgsql security definer as
      $$ begin
        if new.reason = 'iap_purchase' then perform pg_advisory_xact_lock(${HELD}); end if;
        return new;
      end $$`);
    await owner.query('create trigger held before insert on quota_log for each row execute function hold()');
    const holder = await owner.connect();
    await holder.query(`select pg_advisory_lock(${HELD})`);
    const server = next;
    const userId = await notified(server);
    const waiting = () =>
      owner.query<{ pid: number }>(
        `select pid from pg_locks where locktype = 'advisory' and objid = ${HELD} and not granted`,
      );
    await until(async () => (await waiting()).rows.length > 0);
    await server.kill('SIGKILL');
    for (const { pid } of (await waiting()).rows) await owner.query('select pg_terminate_backend($1)', [pid]);
    await holder.query(`select pg_advisory_unlock(${HELD})`);
    holder.release();
    next = await startTestServer({ env });
    await assertCreditedOnce(userId);
  });
});
