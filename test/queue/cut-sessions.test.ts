import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../media/until.ts';
import { onboardGuest } from '../support/guest.ts';
import { createTestDatabase, ownerPool } from '../support/postgres.ts';
import { startTestServer } from '../support/server.ts';

const ROUNDS = 30;

it('the server lives through sessions that are cut again and again while its queue works, and its jobs end', async () => {
  await using database = await createTestDatabase();
  const owner = ownerPool(database.url);
  await using server = await startTestServer({
    env: { DATABASE_URL: database.url, LOG_LEVEL: 'silent', INITIAL_GRANT_CREDITS: '100' },
  });
  const guest = await onboardGuest(server.url);
  const jobs: string[] = [];
  const cut = `select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid() and application_name like 'rendio%'`;
  for (let round = 0; round < ROUNDS; round += 1) {
    // Tasks that are due, fetched and given back, at every stage of a run.
    await owner.query(`select graphile_worker.add_job('prune_logs') from generate_series(1, 30)`);
    if (round % 15 === 0)
      jobs.push(await until(() => guest.generate({ duration: 1, resolution: '360p' }).catch(() => null)));
    await owner.query(cut);
    await owner.query('select pg_sleep(random() * 0.25)');
  }
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  for (const job of jobs) {
    await until(async () => (await guest.job(job).catch(() => null))?.status === 'completed', 90_000);
  }
  assert.deepEqual((await owner.query('select * from broken_invariants()')).rows, []);
  await owner.end();
});
