/** Guests and Apple users of a test application, driven through its HTTP API. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { openSession } from '../../src/features/accounts/session.ts';
import { createTestApp, type TestApp, type TestAppOptions } from './app.ts';
import { appleOverrides, createTestApple, type TestApple } from './apple-id.ts';
import { makeImage } from './upload-images.ts';

/** An account and a session of it. */
export type Person = { id: string; token: string; refreshToken: string };
export type Answer = { status: number; headers: Headers; body: ReturnType<JSON['parse']> };

export type People = AsyncDisposable & {
  app: TestApp;
  apple: TestApple;
  call(token: string, path: string, body?: object, headers?: Record<string, string>): Promise<Answer>;
  guest(credits?: number): Promise<Person>;
  /** An account that has signed in with Apple. */
  appleUser(sub: string, credits?: number, claims?: object): Promise<Person>;
  merge(token: string, claims: object, more?: object): Promise<Answer>;
  refresh(refreshToken: string): Promise<Answer>;
  /** Starts a paid generation over HTTP. */
  generate(token: string, request?: object, key?: string): Promise<Answer>;
  upload(token: string, path: string, metadata?: object): Promise<Answer>;
  ledger(id: string): Promise<{ change: number; reason: string; balance_after: number }[]>;
  rows(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  assertUnbroken(): Promise<void>;
};

export async function createPeople(options: TestAppOptions = {}): Promise<People> {
  const apple = await createTestApple();
  const app = await createTestApp({
    ...options,
    overrides: { ...(await appleOverrides(apple)), ...options.overrides },
  });
  const rows = async (sql: string, values: unknown[] = []) => (await app.owner.query(sql, values)).rows;
  const send = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await app.fetch(path, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: JSON.parse(text || 'null') };
  };
  const as = (token: string) => ({ Authorization: `Bearer ${token}` });

  const people: People = {
    app,
    apple,
    rows,
    async call(token, path, body, headers = {}) {
      const given = { ...as(token), 'Content-Type': 'application/json', ...headers };
      const init =
        body === undefined ? { headers: given } : { headers: given, method: 'POST', body: JSON.stringify(body) };
      return send(path.startsWith('/') ? path : `/functions/v1/${path}`, init);
    },
    async guest(credits = 10) {
      const id = await app.user(credits);
      const { accessToken, refreshToken } = await openSession(app.ctx, id);
      return { id, token: accessToken, refreshToken };
    },
    async appleUser(sub, credits = 0, claims = {}) {
      const person = await people.guest(credits);
      assert.equal((await people.merge(person.token, { sub, ...claims })).status, 200);
      return person;
    },
    merge: async (token, claims, more = {}) =>
      people.call(token, 'merge-guest-user', { identity_token: await apple.identityToken({ ...claims }), ...more }),
    refresh: (refreshToken) =>
      send('/auth/v1/token?grant_type=refresh_token', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ refresh_token: refreshToken }),
      }),
    async generate(token, request = {}, key = randomUUID()) {
      const [model] = await rows(`select id from models where name = 'Sandbox'`);
      const body = { model_id: model?.id, prompt: 'a cat playing piano', ...request };
      return people.call(token, 'generate-video', body, { 'Idempotency-Key': key });
    },
    upload: (token, path, metadata) =>
      send(`/storage/v1/object/user_uploads/${path}`, {
        method: 'POST',
        headers: {
          ...as(token),
          'Content-Type': 'image/png',
          ...(metadata ? { 'x-metadata': Buffer.from(JSON.stringify(metadata)).toString('base64') } : {}),
        },
        body: Uint8Array.from(makeImage('png')),
      }),
    async ledger(id) {
      const sql = 'select change, reason, balance_after from quota_log where user_id = $1 order by seq';
      return (await app.owner.query(sql, [id])).rows;
    },
    async assertUnbroken() {
      assert.deepEqual(await rows('select * from broken_invariants()'), []);
    },
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
  return people;
}

/** An Apple user's id that no other test has. */
export const newSub = (): string => `001.${randomUUID()}`;
