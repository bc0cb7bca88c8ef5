import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../media/until.ts';
import { connectTo, postgresPid } from '../support/embedded.ts';
import { onboardGuest } from '../support/guest.ts';
import { startTestServer } from '../support/server.ts';

/** Docker kills after ten seconds. */
const SHUTDOWN_MAX_MS = 10_000;

it('told to go in the middle of answers and of a render, the server gives those it can, and the next one goes on', async () => {
  await using server = await startTestServer();
  const [patient, stuck] = [await onboardGuest(server.url), await onboardGuest(server.url)];
  const film = await patient.generate({ duration: 5, resolution: '720p' });
  await until(async () => ((await patient.job(film)).progress ?? 0) > 0);
  const stream = await patient.call('job-events');

  // Two requests that wait in the database: one for a moment, one for longer than anybody may wait.
  const [briefly, long, looking] = await Promise.all([0, 1, 2].map(() => connectTo(server.dataDir)));
  assert.ok(briefly && long && looking);
  await briefly.query('begin');
  await briefly.query('select from users where id = $1 for update', [patient.userId]);
  await long.query('begin');
  await long.query('select from users where id = $1 for update', [stuck.userId]);
  const answer = patient.generate({ duration: 1, resolution: '360p' });
  const cut = stuck.generate().then(
    () => 'answered',
    () => 'cut',
  );
  const waiting = `select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and query like '%begin_generation%'`;
  await until(async () => (await looking.query(waiting)).rows[0].n === 2);

  const toldAt = performance.now();
  // As npm does, which passes on what the terminal sends to both.
  process.kill(server.pid, 'SIGTERM');
  process.kill(server.pid, 'SIGTERM');
  await until(() =>
    fetch(`${server.url}/healthz`).then(
      () => false,
      () => true,
    ),
  );
  await briefly.query('commit');
  const short = await answer;
  assert.equal(await server.exited, 0);
  assert.ok(performance.now() - toldAt < SHUTDOWN_MAX_MS, `${Math.round(performance.now() - toldAt)} ms`);
  assert.equal(await cut, 'cut');
  await stream.text();
  assert.equal(await postgresPid(server.dataDir), null, 'the database has ended cleanly');
  await Promise.allSettled([briefly.end(), long.end(), looking.end()]);

  const port = new URL(server.url).port;
  await using next = await startTestServer({ env: { DATA_DIR: server.dataDir, PORT: port } });
  for (const jobId of [film, short]) {
    await until(async () => (await patient.job(jobId)).status === 'completed', 60_000);
  }
  assert.equal(await patient.balance(), 8);
  const database = await connectTo(next.dataDir);
  // The database may let the cut request through as it ends the one before it: then there is a job for the credit, and the
  // app that asks again under its key is told of it.
  const { rows } = await database.query(
    `select 10 - coalesce(sum(credits_used), 0)::int as n from video_jobs where user_id = $1 and status <> 'failed'`,
    [stuck.userId],
  );
  assert.equal(await stuck.balance(), rows[0].n);
  assert.deepEqual((await database.query('select * from broken_invariants()')).rows, []);
  await database.end();
});
