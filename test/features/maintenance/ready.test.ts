import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createTestApp } from '../../support/app.ts';

it('a server is ready until it begins to shut down, and lives on meanwhile', async () => {
  const stopping = new AbortController();
  await using app = await createTestApp({ overrides: { stopping: stopping.signal } });
  assert.equal((await app.fetch('/readyz')).status, 200);
  stopping.abort();
  const response = await app.fetch('/readyz');
  assert.deepEqual([response.status, (await response.json()).status], [503, 'not ready']);
  assert.equal((await app.fetch('/healthz')).status, 200);
});
