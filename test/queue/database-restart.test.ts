import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../media/until.ts';
import { connectTo, postgresPid } from '../support/embedded.ts';
import { openEventSource } from '../support/event-source.ts';
import { type Guest, onboardGuest } from '../support/guest.ts';
import { createOutage } from '../support/outage.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { startTestServer } from '../support/server.ts';

const LONG = { duration: 10, resolution: '360p' };
const SHORT = { duration: 1, resolution: '360p' };

const completed = (guest: Guest, jobId: string) =>
  until(async () => (await guest.job(jobId).catch(() => null))?.status === 'completed', 60_000);
const isReady = (url: string) => fetch(`${url}/readyz`).then((response) => response.ok);

it('a server without its database answers 503 and works again when it is back; no event is lost', async () => {
  await using database = await createTestDatabase();
  await using outage = await createOutage(database.url);
  await using server = await startTestServer({ env: { DATABASE_URL: outage.url, LOG_LEVEL: 'silent' } });
  const guest = await onboardGuest(server.url);
  await using source = openEventSource(guest);
  await until(() => source.opened > 0);
  const jobs = [await guest.generate(LONG)];
  await until(async () => ((await guest.job(jobs[0] ?? '')).progress ?? 0) > 0);

  for (let times = 0; times < 2; times += 1) {
    outage.begin();
    assert.equal(await isReady(server.url), false);
    const response = await guest.call('get-user-credits');
    assert.deepEqual([response.status, (await response.json()).error.code], [503, 'ERR_6001']);
    outage.end();
    await until(() => isReady(server.url));
    jobs.push(await guest.generate(SHORT));
  }
  for (const jobId of jobs) await completed(guest, jobId);
  assert.equal(await guest.balance(), 7);

  const jobIdsOf = (type: string) => source.events.filter(({ event }) => event === type).map(({ data }) => data.job_id);
  await until(() => jobIdsOf('completed').length === 3);
  assert.deepEqual(jobIdsOf('completed').sort(), jobs.sort());
  const ids = source.events.map(({ id }) => id);
  assert.deepEqual(
    ids,
    [...new Set(ids)].sort((a, b) => a - b),
    'each event once, in order',
  );
});

it('the server, its worker and its jobs survive a crash from which the embedded database recovers', async () => {
  await using server = await startTestServer({ env: { LOG_LEVEL: 'silent' } });
  const guest = await onboardGuest(server.url);
  const before = await guest.generate(LONG);
  await until(async () => ((await guest.job(before)).progress ?? 0) > 0);
  const postgres = await postgresPid(server.dataDir);
  const session = await connectTo(server.dataDir);
  const { rows } = await session.query<{ pid: number }>('select pg_backend_pid() as pid');
  // PostgreSQL then ends every session, recovers and continues with the same pid.
  process.kill(rows[0]?.pid ?? 0, 'SIGKILL');
  const after = await until(() => guest.generate(SHORT).catch(() => null));
  for (const jobId of [before, after]) await completed(guest, jobId);
  assert.equal(await postgresPid(server.dataDir), postgres);
  assert.equal(await guest.balance(), 8);
  const database = await connectTo(server.dataDir);
  assert.deepEqual((await database.query('select * from broken_invariants()')).rows, []);
  await database.end();
});
