import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../media/until.ts';
import { createTestApp } from '../support/app.ts';

it('reads are answered while more writes than there are sessions wait for one lock', async () => {
  await using app = await createTestApp();
  const userId = await app.user();
  const holder = await app.owner.connect();
  let isHeld = true;
  const release = async () => {
    if (isHeld) await holder.query('commit').then(() => holder.release());
    isHeld = false;
  };
  // Also where the test fails: the writes would wait on.
  await using _held = { [Symbol.asyncDispose]: release };
  await holder.query('begin');
  await holder.query('select from users where id = $1 for update', [userId]);
  const writes = Array.from({ length: 40 }, () =>
    app.ctx.db.call('update_profile', { user_id: userId, theme_preference: 'dark' }),
  );
  const waiting = `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  const sessions = await until(async () => {
    const { n } = (await app.owner.query(waiting)).rows[0];
    return n >= 10 ? n : null;
  });
  assert.ok(sessions < app.ctx.db.pool.options.max, `${sessions} sessions wait`);
  const reads = Array.from({ length: 40 }, () => app.ctx.db.read.selectFrom('users').select('id').execute());
  for (const rows of await Promise.all(reads)) assert.equal(rows.length, 1);
  await release();
  await Promise.all(writes);
});
