/** What Supabase's auth client is answered where Apple is away or not configured, and when an account goes during a call. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Problem } from '../../../src/kernel/errors.ts';
import { clientOf } from '../../support/api-in-process.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';
import { appleOverrides, createTestApple } from '../../support/apple-id.ts';

const apiOf = (app: TestApp) => ({ fetch: (request: Request) => app.fetch(request.url, request) });

describe('an identity token', () => {
  test('is refused as a provider that is not enabled where no app is configured, and settings say so', async () => {
    await using app = await createTestApp();
    const { auth } = clientOf(apiOf(app));
    const token = await (await createTestApple()).identityToken();
    const { error } = await auth.signInWithIdToken({ provider: 'apple', token });
    // With 501, the client would repeat the call.
    assert.deepEqual([error?.status, error?.code], [400, 'provider_disabled']);
    assert.equal((await (await app.fetch('/auth/v1/settings')).json()).external.apple, false);
  });

  test('while Apple’s keys cannot be had gets an answer that the client repeats, and makes no account', async () => {
    const apple = await createTestApple();
    let later = 0;
    const clock = { now: () => new Date(Date.now() + later) };
    await using app = await createTestApp({ overrides: await appleOverrides(apple, clock) });
    const { auth } = clientOf(apiOf(app));
    const token = await apple.identityToken();
    apple.setFault(() => new Response('maintenance', { status: 503 }));
    const { error } = await auth.signInWithIdToken({ provider: 'apple', token });
    assert.deepEqual([error?.name, error?.status], ['AuthRetryableFetchError', 503]);
    assert.equal((await app.owner.query('select from users')).rowCount, 0);
    apple.setFault(null);
    // Without any keys, Apple is asked once a second.
    later = 1_000;
    assert.equal((await auth.signInWithIdToken({ provider: 'apple', token })).error, null);
  });
});

describe('an account', () => {
  let app: TestApp | undefined;
  after(() => app?.[Symbol.asyncDispose]());

  test('that is deleted while a call is on its way is user_not_found, never validation_failed', async (t) => {
    app = await createTestApp();
    const { auth } = clientOf(apiOf(app));
    const { data } = await auth.signInAnonymously();
    assert.ok(data.session);
    const { access_token: token } = data.session;
    const call = app.ctx.db.call.bind(app.ctx.db);
    t.mock.method(app.ctx.db, 'call', ((name, args) => {
      if (name === 'update_user_metadata') throw new Problem('ERR_4005');
      return call(name, args);
    }) as typeof call);
    const reply = await app.fetch('/auth/v1/user', {
      method: 'PUT',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: '{"data":{"a":1}}',
    });
    const body: { error_code: string } = JSON.parse(await reply.text());
    assert.deepEqual([reply.status, body.error_code], [403, 'user_not_found']);
  });

  test('that asks for too much data at its sign-up is not made', async () => {
    assert.ok(app);
    const { rowCount: before } = await app.owner.query('select from users');
    const large = { options: { data: { text: 'x'.repeat(5000) } } };
    const { error } = await clientOf(apiOf(app)).auth.signInAnonymously(large);
    assert.deepEqual([error?.status, error?.code], [413, 'request_entity_too_large']);
    assert.equal((await app.owner.query('select from users')).rowCount, before);
  });
});
