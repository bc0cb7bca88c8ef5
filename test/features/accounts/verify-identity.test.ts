/** Doors to Sign in with Apple while Apple's keys cannot be had, and where no app is configured. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { createTestApp, type TestApp } from '../../support/app.ts';
import { appleOverrides, createTestApple } from '../../support/apple-id.ts';

const apple = await createTestApple();
const down = await createTestApp({ overrides: await appleOverrides(apple) });
const without = await createTestApp();
after(() => Promise.all([down[Symbol.asyncDispose](), without[Symbol.asyncDispose]()]));
apple.setFault(() => new Response('busy', { status: 503 }));

async function post(app: TestApp, path: string, body: object, token?: string) {
  const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
  return app.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

const doors: [string, (app: TestApp, token: string) => Promise<Response>][] = [
  [
    'merging',
    async (app, token) =>
      post(app, '/functions/v1/merge-guest-user', { identity_token: await apple.identityToken() }, token),
  ],
  [
    'a forged token',
    async (app, token) =>
      post(app, '/functions/v1/merge-guest-user', { identity_token: await apple.foreignToken({}, 'invented') }, token),
  ],
  [
    'signing in',
    async (app) =>
      post(app, '/auth/v1/token?grant_type=id_token', { provider: 'apple', id_token: await apple.identityToken() }),
  ],
  [
    'linking',
    async (app, token) => {
      const body = { provider: 'apple', id_token: await apple.identityToken(), link_identity: true };
      return post(app, '/auth/v1/token?grant_type=id_token', body, token);
    },
  ],
  [
    'a notification',
    async (app) =>
      post(app, '/functions/v1/apple-account-notifications', {
        payload: await apple.notification({ type: 'x', sub: 'a' }),
      }),
  ],
];

describe('while Apple’s keys cannot be had, nothing is refused: a retry may succeed', () => {
  for (const [what, send] of doors) {
    test(what, async () => {
      const response = await send(down, await down.tokenOf(await down.user()));
      assert.equal(response.status, 503, await response.text());
      assert.match(response.headers.get('Retry-After') ?? '', /^[1-9]\d*$/);
    });
  }
});

describe('without an app, Sign in with Apple is switched off', () => {
  for (const [what, send] of doors) {
    test(what, async () => {
      const response = await send(without, await without.tokenOf(await without.user()));
      // Supabase's clients repeat a 501.
      assert.equal(response.status, ['signing in', 'linking'].includes(what) ? 400 : 501, await response.text());
    });
  }
});
