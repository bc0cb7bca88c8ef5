/** The operator's command line on the embedded database. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { admin, adminHere } from '../support/admin-command.ts';
import { startTestServer } from '../support/server.ts';

it('works on the embedded database beside a running server, and without one', async () => {
  const server = await startTestServer();
  const { dataDir } = server;
  const env = { DATA_DIR: dataDir };
  try {
    const call = async (path: string, token: string, body?: object) => {
      const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
      const init = body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers };
      const response = await fetch(`${server.url}/functions/v1/${path}`, init);
      return { status: response.status, body: await response.json() };
    };
    const device = { device_id: `device-${randomUUID()}`, device_token: Buffer.from('device:ada').toString('base64') };
    const { body: guest } = await call('device-check', '', device);
    const created = await adminHere(['create', 'ada@example.com'], env);
    const [link = '', linkToken = ''] = created.out.trim().split('/admin#link=');
    assert.equal(link, server.url, 'the port that the system has chosen');
    const { body: session } = await call('admin-open-session', '', { token: linkToken });
    const { out } = await adminHere(['token', 'ada@example.com'], env);
    const reason = 'The video was black.';
    for (const [index, token] of [session.access_token, out.trim()].entries()) {
      const adjusted = await call('admin-adjust-credits', token, { user_id: guest.user_id, amount: 1, reason });
      assert.equal(adjusted.body.new_balance, guest.credits_remaining + index + 1);
    }
    const refunded = await adminHere(['refund', guest.user_id, '3', '--reason', reason], env);
    assert.ok(refunded.out.endsWith(`is ${guest.credits_remaining + 5}.\n`), refunded.err);
    const { body: seen } = await call('get-user-credits', guest.access_token);
    assert.equal(seen.credits_remaining, guest.credits_remaining + 5);
    assert.match((await adminHere(['explain-balance', guest.user_id], env)).out, /\+2 {2}admin_adjustment \(2 rows\)/);
    await adminHere(['revoke', 'ada@example.com'], env);
    assert.equal((await call('admin-session', out.trim())).status, 401);
    assert.equal((await adminHere(['audit'], env)).code, 0);
    assert.equal((await admin(['maintenance', 'check_changes'], env)).code, 0);
    assert.equal((await fetch(`${server.url}/readyz`)).status, 200, 'the server goes on');
    await server.kill('SIGTERM');
    const alone = await admin(['audit'], env);
    assert.equal(alone.code, 0, alone.err);
    assert.match(alone.out, /all rules hold/);
    await assert.rejects(access(join(dataDir, 'server.json')), { code: 'ENOENT' });
  } finally {
    await server.stop();
  }
});
