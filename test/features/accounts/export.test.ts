import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { exportAccount } from '../../../src/features/accounts/export-account.ts';
import { until } from '../../media/until.ts';
import { createPeople, newSub } from '../../support/people.ts';

const people = await createPeople();
const { app } = people;
after(() => app[Symbol.asyncDispose]());

const KEYS = ['exported_at', 'user', 'jobs', 'transactions', 'purchases', 'uploads', 'sessions'];

/** More than two pages of an export, some of them deleted. */
async function addJobs(userId: string, count: number): Promise<void> {
  const [model] = await people.rows(`select id from models where name = 'Sandbox'`);
  await people.rows(
    `insert into video_jobs (user_id, model_id, model_name, provider, provider_model_id, prompt, credits_used, status, error_code,
       deadline_at, completed_at, deleted_at, media_path)
     select $1::uuid, $2::uuid, 'Sandbox', 'sandbox', 'sandbox/clip', 'cat ' || n, 1, 'failed', 'ERR_5002', now(), now(),
       case when n % 3 = 0 then now() end, $1::uuid || '/2026-01/' || gen_random_uuid()
     from generate_series(1, $3::int) n`,
    [userId, model?.id, count],
  );
}

const request = (token: string) =>
  app.fetch('/functions/v1/export-account', { headers: { Authorization: `Bearer ${token}` } });

describe('an export', () => {
  it('is one document with everything that the account and its merged guests have', async () => {
    const sub = newSub();
    const survivor = await people.appleUser(sub, 5, { email: 'ada@example.com', email_verified: true });
    const guest = await people.guest(7);
    for (const { id, token } of [survivor, guest]) {
      await app.generate(id);
      assert.equal((await people.upload(token, `${id}/cat.png`)).status, 200);
    }
    await app.drain();
    await people.merge(guest.token, { sub });
    for (const { token } of [survivor, guest]) {
      const response = await request(token);
      assert.equal(response.status, 200);
      assert.match(response.headers.get('Content-Type') ?? '', /^application\/json/);
      assert.equal(response.headers.get('Cache-Control'), 'no-store');
      const document = await response.json();
      assert.deepEqual(Object.keys(document), KEYS);
      assert.match(document.exported_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.equal(document.user.id, survivor.id);
      assert.equal(document.user.apple_sub, sub);
      assert.equal(document.jobs.length, 2);
      assert.ok(document.jobs.every(({ prompt }: { prompt: string }) => prompt === 'a cat playing piano'));
      assert.deepEqual(
        new Set(document.transactions.map(({ user_id }: { user_id: string }) => user_id)),
        new Set([guest.id, survivor.id]),
      );
      assert.equal(
        document.transactions.filter(({ reason }: { reason: string }) => reason === 'account_merge').length,
        2,
      );
      assert.deepEqual(
        document.uploads.map(({ path }: { path: string }) => path).sort(),
        [`${guest.id}/cat.png`, `${survivor.id}/cat.png`].sort(),
      );
      assert.ok(document.sessions.length >= 2);
      assert.deepEqual(document.purchases, []);
    }
    await people.assertUnbroken();
  });

  it('of many pages has every job once, also those that are deleted while it is read', async () => {
    const { id } = await people.guest(0);
    await addJobs(id, 1300);
    let text = '';
    let pieces = 0;
    for await (const piece of exportAccount(app.ctx, id)) {
      text += piece;
      pieces += 1;
      await people.rows(
        'update video_jobs set deleted_at = now() where user_id = $1 and deleted_at is null and seq % 7 = $2',
        [id, pieces % 7],
      );
    }
    const { jobs } = JSON.parse(text);
    assert.equal(jobs.length, 1300);
    assert.equal(new Set(jobs.map(({ job_id }: { job_id: string }) => job_id)).size, 1300);
  });

  for (const cut of ['a guest is merged into it', 'it is merged', 'it is deleted'] as const) {
    it(`is cut off, and no document, when ${cut} meanwhile`, async () => {
      const sub = newSub();
      const [survivor, guest] = [await people.appleUser(sub, 5), await people.guest(7)];
      const reading = exportAccount(app.ctx, cut === 'it is merged' ? guest.id : survivor.id);
      let text = '';
      await assert.rejects(async () => {
        for await (const piece of reading) {
          if (text === '') {
            if (cut === 'it is deleted') await people.call(survivor.token, 'delete-account', {});
            else await people.merge(guest.token, { sub });
          }
          text += piece;
        }
      });
      assert.throws(() => JSON.parse(text));
    });
  }

  it('is one at a time for an account, also by a merged guest’s token; other accounts have their own', async () => {
    const sub = newSub();
    const [survivor, guest, other] = [await people.appleUser(sub), await people.guest(), await people.guest()];
    await people.merge(guest.token, { sub });
    await addJobs(survivor.id, 1300);
    const first = await request(survivor.token);
    for (const { token } of [survivor, guest]) {
      const second = await people.call(token, 'export-account');
      assert.equal(second.status, 429);
      assert.ok(Number(second.headers.get('Retry-After')) >= 1);
      assert.equal(second.headers.get('RateLimit-Policy'), '"exports";q=1');
    }
    assert.equal((await people.call(other.token, 'export-account')).status, 200);
    assert.equal((await first.json()).jobs.length, 1300);
    assert.equal((await people.call(guest.token, 'export-account')).status, 200);
  });

  it('ends when its reader leaves, and when nothing reads it', async () => {
    const { id, token } = await people.guest();
    await addJobs(id, 1300);
    const reader = (await request(token)).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await (await request(token)).body?.cancel();
    // A server may only say that the reader has gone.
    const leaving = new AbortController();
    const headers = { Authorization: `Bearer ${token}` };
    const left = await app.fetch('/functions/v1/export-account', { headers, signal: leaving.signal });
    assert.equal(left.status, 200);
    leaving.abort();
    await until(async () => (await people.call(token, 'export-account')).status === 200);
    const head = await app.fetch('/functions/v1/export-account', {
      method: 'HEAD',
      headers: { Authorization: `Bearer ${token}` },
    });
    assert.equal(head.status, 200);
    await until(async () => (await people.call(token, 'export-account')).status === 200);
  });
});
