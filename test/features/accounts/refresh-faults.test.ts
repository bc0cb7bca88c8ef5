/** A fault of ours never ends a session: Supabase's clients sign out at any 4xx of a refresh, and repeat it at a 5xx. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { AuthError } from '@supabase/supabase-js';
import { errors } from 'jose';
import { NoFreeSlot } from '../../../src/kernel/bounded-semaphore.ts';
import { clientOf } from '../../support/api-in-process.ts';
import { createTestApp } from '../../support/app.ts';

const app = await createTestApp();
after(() => app[Symbol.asyncDispose]());
const api = { fetch: (request: Request) => app.fetch(request.url, request) };

async function newSession() {
  const { data } = await clientOf(api).auth.signInAnonymously();
  assert.ok(data.session);
  return data.session;
}

const post = (refresh_token: string, headers: Record<string, string> = {}) =>
  app.fetch('/auth/v1/token?grant_type=refresh_token', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ refresh_token }),
  });

/** The client itself would repeat the call for half a minute. */
async function assertRetryable(refreshToken: string): Promise<void> {
  for (const headers of [{}, { 'X-Supabase-Api-Version': '2024-01-01' }]) {
    const reply = await post(refreshToken, headers);
    const body: { code?: unknown; error_code?: unknown } = JSON.parse(await reply.text());
    assert.ok([500, 503].includes(reply.status), `${reply.status} ${JSON.stringify(body)}`);
    assert.ok([body.code, body.error_code].includes('unexpected_failure'), JSON.stringify(body));
  }
}

async function assertStillOpen(refreshToken: string): Promise<void> {
  const { data, error } = await clientOf(api).auth.refreshSession({ refresh_token: refreshToken });
  assert.equal(error, null);
  assert.ok(data.session);
}

describe('a refresh', () => {
  for (const [what, sqlState] of Object.entries({
    'a full disk': '53100',
    'no memory': '53200',
    'too many connections': '53300',
    'a statement that took too long': '57014',
    'a shutdown': '57P01',
    'a start': '57P03',
    'a lock that was not to be had': '55P03',
    'a deadlock': '40P01',
    'a conflict': '40001',
    'a database that only reads': '25006',
    'an input or output error': '58030',
    'a damaged index': 'XX002',
    'a fault of the procedure': 'P0001',
  })) {
    test(`answers 5xx to ${what}, and the same token works afterwards`, async () => {
      const { refresh_token } = await newSession();
      const { rows } = await app.owner.query<{ definition: string }>(
        `select pg_get_functiondef(oid) as definition from pg_proc where proname = 'rotate_session'`,
      );
      const { definition = '' } = rows[0] ?? {};
      await app.owner.query(
        definition.replace(/^begin$/m, `begin raise exception 'on purpose' using errcode = '${sqlState}';`),
      );
      try {
        await assertRetryable(refresh_token);
      } finally {
        await app.owner.query(definition);
      }
      await assertStillOpen(refresh_token);
    });
  }

  for (const [what, error] of Object.entries({
    'no connection': Object.assign(new Error('refused'), { code: 'ECONNREFUSED', syscall: 'connect' }),
    'a full pool': new Error('timeout exceeded when trying to connect'),
    'no session for writes': new NoFreeSlot(),
    'a database that is silent': new Error('Query read timeout'),
    'a full disk of ours': Object.assign(new Error('full'), { code: 'ENOSPC' }),
    'a programming error': new TypeError('undefined is not a function'),
  })) {
    test(`answers 5xx to ${what}, and the same token works afterwards`, async (t) => {
      const { refresh_token } = await newSession();
      for (const broken of ['take_rate_limit', 'rotate_session']) {
        const call = app.ctx.db.call.bind(app.ctx.db);
        const mock = t.mock.method(app.ctx.db, 'call', ((name, args) => {
          if (name === broken) throw error;
          return call(name, args);
        }) as typeof call);
        await assertRetryable(refresh_token);
        mock.mock.restore();
      }
      await assertStillOpen(refresh_token);
    });
  }

  test('whose token was exchanged, but whose answer could not be made, is answered by a repeat', async (t) => {
    const { refresh_token } = await newSession();
    for (const error of [new errors.JWKInvalid(), new Error('no random numbers')]) {
      const mock = t.mock.method(app.ctx.tokens, 'sign', async () => {
        throw error;
      });
      await assertRetryable(refresh_token);
      mock.mock.restore();
    }
    await assertStillOpen(refresh_token);
  });

  test('that finds the line of its IP address full is 503, which is repeated, and not 429, which signs out', async (t) => {
    const { refresh_token } = await newSession();
    const call = app.ctx.db.call.bind(app.ctx.db);
    const held = Promise.withResolvers<void>();
    t.mock.method(app.ctx.db, 'call', (async (name, args) => {
      await held.promise;
      return call(name, args);
    }) as typeof call);
    const waiting = Array.from({ length: 409 }, () => post(refresh_token));
    const refused = await Promise.race(waiting);
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1']);
    held.resolve();
    const statuses = (await Promise.all(waiting)).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 200).length, 408);
  });
});

test('a limit that is used up is over_request_rate_limit, to the client too, and closes no session', async () => {
  await using limited = await createTestApp({
    env: {
      RATE_LIMIT_AUTH_PER_5_MINUTES: '2',
      RATE_LIMIT_ONBOARDING_PER_HOUR: '1',
      RATE_LIMIT_CALLS_PER_MINUTE: '3',
    },
  });
  const { auth } = clientOf({ fetch: (request: Request) => limited.fetch(request.url, request) });
  const assertLimited = (error: AuthError | null) =>
    assert.deepEqual([error?.status, error?.code], [429, 'over_request_rate_limit'], error?.message);
  const { data } = await auth.signInAnonymously();
  assertLimited((await auth.signInAnonymously()).error);
  assert.ok(data.session);
  for (let count = 0; count < 2; count += 1) assert.equal((await auth.refreshSession(data.session)).error, null);
  assertLimited((await auth.refreshSession(data.session)).error);
  for (let count = 0; count < 3; count += 1) assert.equal((await auth.getUser(data.session.access_token)).error, null);
  assertLimited((await auth.getUser(data.session.access_token)).error);
  const { rows } = await limited.owner.query('select from sessions where revoked_at is null');
  assert.equal(rows.length, 1);
});
