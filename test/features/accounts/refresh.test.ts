import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { refreshSession } from '../../../src/features/accounts/refresh.ts';
import { openSession, type Session } from '../../../src/features/accounts/session.ts';
import { createTestApp, type TestApp } from '../../support/app.ts';

describe('a session', () => {
  let app: TestApp;
  before(async () => {
    app = await createTestApp();
  });
  after(() => app[Symbol.asyncDispose]());

  const open = async () => openSession(app.ctx, await app.user());
  const refreshed = async (token: string): Promise<Session> => {
    const session = await refreshSession(app.ctx, token);
    assert.ok(typeof session !== 'string', String(session));
    return session;
  };

  it('continues with each refresh, with a new token each time', async () => {
    const first = await open();
    const second = await refreshed(first.refreshToken);
    const third = await refreshed(second.refreshToken);
    assert.equal(new Set([first, second, third].map(({ refreshToken }) => refreshToken)).size, 3);
    assert.equal(third.user.id, first.user.id);
    const claims = await Promise.all([first, third].map(({ accessToken }) => app.ctx.tokens.verify(accessToken)));
    assert.equal(claims[0]?.sessionId, claims[1]?.sessionId);
  });

  it('survives a lost answer: the parent of the active token gets the active one again', async () => {
    const first = await open();
    const second = await refreshed(first.refreshToken);
    const again = await refreshed(first.refreshToken);
    assert.equal(again.refreshToken, second.refreshToken);
    await refreshed(again.refreshToken);
  });

  it('survives an app that refreshes many times at once', async () => {
    const first = await open();
    const all = await Promise.all(Array.from({ length: 10 }, () => refreshed(first.refreshToken)));
    assert.equal(new Set(all.map(({ refreshToken }) => refreshToken)).size, 1);
    await refreshed(all[0]?.refreshToken ?? '');
  });

  it('is revoked when a token older than the parent is used again', async () => {
    const first = await open();
    const second = await refreshed(first.refreshToken);
    const third = await refreshed(second.refreshToken);
    assert.equal(await refreshSession(app.ctx, first.refreshToken), 'reused');
    assert.equal(await refreshSession(app.ctx, third.refreshToken), 'session_revoked');
  });

  it('does not affect the account’s other sessions when it is revoked', async () => {
    const userId = await app.user();
    const [stolen, other] = [await openSession(app.ctx, userId), await openSession(app.ctx, userId)];
    const second = await refreshed(stolen.refreshToken);
    await refreshed(second.refreshToken);
    await refreshSession(app.ctx, stolen.refreshToken);
    await refreshed(other.refreshToken);
  });

  it('expires after thirty days without a refresh; each refresh starts them again', async () => {
    const first = await open();
    const days = async (): Promise<number> => {
      const { rows } = await app.owner.query(
        `select round(extract(epoch from s.expires_at - now()) / 86400)::int as days from sessions s where user_id = $1`,
        [first.user.id],
      );
      return rows[0].days;
    };
    await app.owner.query(`update sessions set expires_at = now() + interval '1 day' where user_id = $1`, [
      first.user.id,
    ]);
    const second = await refreshed(first.refreshToken);
    assert.equal(await days(), 30);
    await app.owner.query(`update sessions set expires_at = now() - interval '1 second' where user_id = $1`, [
      first.user.id,
    ]);
    assert.equal(await refreshSession(app.ctx, second.refreshToken), 'session_expired');
  });

  it('is not refreshed for banned accounts, deleted accounts and unknown tokens', async () => {
    const [banned, deleted] = [await open(), await open()];
    await app.owner.query(`insert into user_bans (user_id, reason) values ($1, 'a test')`, [banned.user.id]);
    await app.owner.query('update users set deleted_at = now() where id = $1', [deleted.user.id]);
    assert.equal(await refreshSession(app.ctx, banned.refreshToken), 'banned');
    assert.equal(await refreshSession(app.ctx, deleted.refreshToken), 'session_revoked');
    for (const token of ['', 'x', 'a'.repeat(10_000), '\u0000']) {
      assert.equal(await refreshSession(app.ctx, token), 'not_found');
    }
  });

  it('has no token in the database, only what makes a token together with the server’s secret', async () => {
    const { refreshToken } = await open();
    const { rows } = await app.owner.query(
      `select count(*)::int as n from refresh_tokens
       where encode(token_hash, 'escape') like '%' || $1 || '%' or encode(nonce, 'base64') like '%' || $1 || '%'`,
      [refreshToken.slice(0, 20)],
    );
    assert.equal(rows[0].n, 0);
  });
});
