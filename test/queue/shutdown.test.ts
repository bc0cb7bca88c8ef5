import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../media/until.ts';
import { connectTo, postgresPid } from '../support/embedded.ts';
import { onboardGuest } from '../support/guest.ts';
import { startTestServer } from '../support/server.ts';

/** Docker kills after ten seconds. */
const SHUTDOWN_MAX_MS = 10_000;

it('a server that is terminated during requests and a render answers those that end in time, and the next one continues', async () => {
  await using server = await startTestServer();
  // Load balancers keep idle connections for 60 s, and must be the first to close them.
  const keptSeconds = Number(
    /timeout=(\d+)/.exec((await fetch(`${server.url}/healthz`)).headers.get('keep-alive') ?? '')?.[1],
  );
  assert.ok(keptSeconds >= 65, `${keptSeconds} s`);
  const [waitingGuest, blockedGuest] = [await onboardGuest(server.url), await onboardGuest(server.url)];
  const running = await waitingGuest.generate({ duration: 5, resolution: '720p' });
  await until(async () => ((await waitingGuest.job(running)).progress ?? 0) > 0);
  const stream = await waitingGuest.call('job-events');

  // Two requests that wait for a lock: one for a moment, one for longer than a shutdown may take.
  const [shortLock, longLock, observer] = await Promise.all([0, 1, 2].map(() => connectTo(server.dataDir)));
  assert.ok(shortLock && longLock && observer);
  await shortLock.query('begin');
  await shortLock.query('select from users where id = $1 for update', [waitingGuest.userId]);
  await longLock.query('begin');
  await longLock.query('select from users where id = $1 for update', [blockedGuest.userId]);
  const answer = waitingGuest.generate({ duration: 1, resolution: '360p' });
  const cut = blockedGuest.generate().then(
    () => 'answered',
    () => 'cut',
  );
  const waiting = `select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and query like '%begin_generation%'`;
  await until(async () => (await observer.query(waiting)).rows[0].n === 2);

  const terminatedAt = performance.now();
  // Twice, as under npm: npm forwards the terminal's signal, which the process itself gets too.
  process.kill(server.pid, 'SIGTERM');
  process.kill(server.pid, 'SIGTERM');
  await until(() =>
    fetch(`${server.url}/healthz`).then(
      () => false,
      () => true,
    ),
  );
  await shortLock.query('commit');
  const started = await answer;
  assert.equal(await server.exited, 0);
  assert.ok(performance.now() - terminatedAt < SHUTDOWN_MAX_MS, `${Math.round(performance.now() - terminatedAt)} ms`);
  assert.equal(await cut, 'cut');
  await stream.text();
  assert.equal(await postgresPid(server.dataDir), null, 'the database has ended cleanly');
  await Promise.allSettled([shortLock.end(), longLock.end(), observer.end()]);

  const port = new URL(server.url).port;
  await using next = await startTestServer({ env: { DATA_DIR: server.dataDir, PORT: port } });
  for (const jobId of [running, started]) {
    await until(async () => (await waitingGuest.job(jobId)).status === 'completed', 60_000);
  }
  assert.equal(await waitingGuest.balance(), 8);
  const database = await connectTo(next.dataDir);
  // The database may complete the cut request when the transaction before it ends: then a job exists for the credit, and
  // an app that retries with its key gets it.
  const { rows } = await database.query(
    `select 10 - coalesce(sum(credits_used), 0)::int as n from video_jobs where user_id = $1 and status <> 'failed'`,
    [blockedGuest.userId],
  );
  assert.equal(await blockedGuest.balance(), rows[0].n);
  assert.deepEqual((await database.query('select * from broken_invariants()')).rows, []);
  await database.end();
});
