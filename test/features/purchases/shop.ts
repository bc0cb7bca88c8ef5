/** Guests who buy at an App Store of the tests’ own, and what that App Store tells the server. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { TestAppOptions } from '../../support/app.ts';
import {
  appStoreOverrides,
  createTestAppStore,
  type Fields,
  newTransactionId,
  type TestAppStore,
} from '../../support/app-store.ts';
import { type Answer, createPeople, newSub, type People, type Person } from '../../support/people.ts';

export type Transaction = Fields & { transactionId: string };
export type NotificationOptions = {
  /** When Apple decided, in seconds; later ones are newer. */
  at?: number;
  percentage?: number;
  uuid?: string;
  /** Only sent; the worker does not run. */
  isUnprocessed?: boolean;
  transaction?: Fields;
};

/** The Apple of these tests signs on this day. */
export const DAY_MS = Date.UTC(2026, 0, 1);

export type Shop = AsyncDisposable & {
  people: People;
  store: TestAppStore;
  guest(credits?: number): Promise<Person>;
  /** A purchase that Apple knows. */
  bought(fields?: Fields): Transaction;
  claimById(person: Person, id: string, headers?: Record<string, string>): Promise<Answer>;
  claimSigned(person: Person, fields: Fields | string, headers?: Record<string, string>): Promise<Answer>;
  /** Sends a notification about a transaction, and lets the worker process it. */
  notify(type: string, transaction: Fields, options?: NotificationOptions): Promise<number>;
  outcomeOf(uuid: string): Promise<string | null>;
  /** Spends credits on a generation; returns its id. */
  spend(person: Person, seconds: number): Promise<string>;
  failJob(jobId: string): Promise<void>;
  balance(person: Person): Promise<number>;
  reasons(person: Person): Promise<string[]>;
  /** Makes both one Apple user: the second guest is merged into the first. */
  merge(survivor: Person, guest: Person): Promise<void>;
};

/** Guests of an application with that App Store, and a model of one credit a second, at most a minute. */
async function openCounter(
  store: TestAppStore,
  env: Record<string, string>,
  { overrides, ...options }: TestAppOptions,
): Promise<People> {
  const limits = { RATE_LIMIT_PURCHASES_PER_HOUR: '100000', RATE_LIMIT_CALLS_PER_MINUTE: '1000000' };
  const people = await createPeople({
    ...options,
    env: { ...limits, ...env },
    overrides: { ...(await appStoreOverrides(store)), ...overrides },
  });
  await people.rows(
    `update models set price_credits = 1, price_per_seconds = 1,
       settings_schema = jsonb_set(settings_schema, '{properties,duration,maximum}', '60') where name = 'Sandbox'`,
  );
  return people;
}

export async function openShop(env: Record<string, string> = {}, options: TestAppOptions = {}): Promise<Shop> {
  const store = await createTestAppStore();
  const people = await openCounter(store, env, options);
  const { app } = people;

  const shop: Shop = {
    people,
    store,
    guest: (credits = 0) => people.guest(credits),
    bought(fields = {}) {
      const transaction = { transactionId: newTransactionId(), ...fields };
      store.transactions.push(transaction);
      return transaction;
    },
    claimById: (person, id, headers) => people.call(person.token, 'update-credits', { transaction_id: id }, headers),
    async claimSigned(person, fields, headers) {
      const signed = typeof fields === 'string' ? fields : await store.signTransaction(fields);
      return people.call(person.token, 'update-credits', { signed_transaction: signed }, headers);
    },
    async notify(type, transaction, options = {}) {
      const { at, percentage, uuid = randomUUID(), isUnprocessed = false } = options;
      const isRefund = type === 'REFUND' || type === 'REVOKE';
      const signedPayload = await store.signNotification({
        notificationType: type,
        notificationUUID: uuid,
        ...(at === undefined ? {} : { signedDate: DAY_MS + at * 1000 }),
        transaction: {
          ...transaction,
          ...(isRefund ? { revocationDate: DAY_MS, revocationReason: 0 } : {}),
          ...(percentage === undefined ? {} : { revocationPercentage: percentage }),
          ...options.transaction,
        },
      });
      const { status } = await people.call('', 'apple-server-notifications', { signedPayload });
      if (!isUnprocessed) assert.deepEqual(await app.drain(), []);
      return status;
    },
    async outcomeOf(uuid) {
      const [row] = await people.rows('select outcome from store_notifications where notification_id = $1', [uuid]);
      return (row?.outcome as string | null | undefined) ?? null;
    },
    async spend(person, seconds) {
      const answer = await people.generate(person.token, { settings: { duration: seconds } });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      // It stays as it is, whatever the worker does meanwhile.
      await people.rows(`select graphile_worker.remove_job('submit:' || $1)`, [answer.body.job_id]);
      return answer.body.job_id;
    },
    async failJob(jobId) {
      await app.ctx.db.call('fail_generation', { job_id: jobId, error_code: 'ERR_5003' });
    },
    balance: (person) => app.balance(person.id),
    reasons: async (person) => (await people.ledger(person.id)).map(({ reason }) => reason),
    async merge(survivor, guest) {
      const sub = newSub();
      assert.equal((await people.merge(survivor.token, { sub })).status, 200);
      assert.equal((await people.merge(guest.token, { sub })).status, 200);
    },
    [Symbol.asyncDispose]: () => people[Symbol.asyncDispose](),
  };
  return shop;
}

/** A row of a table of scenarios. */
export type Scenario = [name: string, play: (shop: Shop) => Promise<void>];

export function assertRefused(answer: Answer, status: number, code: string, reason?: string): void {
  const { error } = answer.body ?? {};
  assert.deepEqual([answer.status, error?.code, error?.details?.reason], [status, code, reason], JSON.stringify(error));
}

export function assertCredited(answer: Answer, added: number, remaining: number): void {
  const expected = { success: true, credits_added: added, credits_remaining: remaining, total_credits: remaining };
  assert.deepEqual([answer.status, answer.body], [200, expected]);
}
