/** `/metrics` of real processes: of a server, and of a worker that runs alone. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { freePort } from '../acceptance/support/target.ts';
import { onboardGuest } from '../support/guest.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { startTestServer, startTestWorker } from '../support/server.ts';

const TOKEN = 'a-token-of-the-operator';

it('a server and a worker that runs alone each serve their metrics, and both show the money of their database', async () => {
  await using database = await createTestDatabase();
  await using server = await startTestServer({ env: { DATABASE_URL: database.url, WORKER: 'off' } });
  await onboardGuest(server.url);
  const metrics = await fetch(`${server.url}/metrics`);
  assert.equal(metrics.status, 200);
  const text = await metrics.text();
  assert.match(text, /^rendio_credits_total\{reason="initial_grant"\} \d+$/m);
  assert.match(text, /^rendio_money_invariant_broken\{invariant="lots hold the balance"\} 0$/m);
  assert.match(text, /^process_cpu_seconds_total/m);

  const port = await freePort();
  await using worker = await startTestWorker({
    env: { DATABASE_URL: database.url, METRICS_PORT: String(port), METRICS_TOKEN: TOKEN },
  });
  const read = (headers = {}) => fetch(`http://127.0.0.1:${port}/metrics`, { headers });
  assert.equal((await read()).status, 401);
  const ofWorker = await read({ Authorization: `Bearer ${TOKEN}` });
  assert.equal(ofWorker.status, 200);
  const credits = (shown: string) => /^rendio_credits_outstanding (\d+)$/m.exec(shown)?.[1];
  assert.equal(credits(await ofWorker.text()), credits(text), 'the same figures');
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 404, 'it serves nothing else');
  await worker.kill('SIGTERM');
  assert.equal(await worker.exited, 0);
  // Its standard output is no terminal.
  const lines = worker
    .output()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.ok(
    lines.some(
      ({ msg, level, environment }) => msg === 'worker started' && level === 'info' && environment === 'development',
    ),
  );
});
