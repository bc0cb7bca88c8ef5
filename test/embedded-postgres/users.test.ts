import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  dataFolder,
  isGone,
  isLinux,
  KEEP,
  KEPT,
  keptIn,
  kill,
  query,
  runServer,
  start,
  startServer,
  until,
  withoutTools,
} from './servers.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;
/** A user of the system, `daemon` or `bin`, who has no special rights on files. */
const ORDINARY_USER = 1;
const needsRoot = { skip: isRoot && isLinux ? false : 'needs root on Linux' };

test('root can start PostgreSQL under private folders, also without user namespaces', needsRoot, async (t) => {
  const folder = await dataFolder(t);
  const data = join(folder, 'private', 'data');
  await mkdir(data, { recursive: true, mode: 0o700 });
  await chmod(join(folder, 'private'), 0o700);
  const own = await start(t, data);
  await query(own.url, KEEP);
  await own.stop();
  assert.equal((await stat(join(data, 'postgres'))).uid, 0);

  const forbidden = await withoutTools(t, 'unshare');
  for (const attempt of ['the data is given to the user nobody', 'the data belongs to the user nobody']) {
    const other = await runServer(t, data, { path: forbidden });
    assert.deepEqual(await keptIn(other.url), KEPT, attempt);
    assert.equal((await stat(join(data, 'postgres'))).uid, NOBODY, attempt);
    await kill(other.child);
    await until(() => isGone(other.pid));
    assert.ok(
      !existsSync(join(data, 'postgres', 'postmaster.pid')),
      'it shut down cleanly after kill -9 of the server',
    );
  }
  const back = await start(t, data);
  assert.deepEqual(await keptIn(back.url), KEPT);
});

test('without tools root starts PostgreSQL as the user nobody, if the folder allows it', needsRoot, async (t) => {
  const folder = await dataFolder(t);
  await chmod(folder, 0o755);
  const bare = await withoutTools(t, 'unshare', 'setpriv');
  const data = join(folder, 'data');
  const refused = await startServer(t, data, { path: bare });
  assert.match(
    refused.report.failure ?? '',
    /^StartupError: PostgreSQL refuses to run as root, and no other user can use/,
  );
  await chmod(data, 0o711);
  const server = await runServer(t, data, { path: bare });
  assert.deepEqual(await query(server.url, 'select 1 as one'), [{ one: 1 }]);
  // Only the server stops this PostgreSQL.
  server.child.kill('SIGTERM');
  await once(server.child, 'exit');
  assert.ok(isGone(server.pid));
});

test(
  'an ordinary user can start PostgreSQL, keeps the data after kill -9, and gets an error for the folder of another user',
  needsRoot,
  async (t) => {
    if (!canOrdinaryUserRead()) return t.skip('an ordinary user cannot read the folder of the project');
    const folder = await dataFolder(t);
    await chown(folder, ORDINARY_USER, ORDINARY_USER);
    const first = await runServer(t, folder, { uid: ORDINARY_USER });
    await query(first.url, KEEP);
    await kill(first.child);
    const second = await runServer(t, folder, { uid: ORDINARY_USER });
    assert.deepEqual(await keptIn(second.url), KEPT);
    second.child.kill('SIGTERM');
    await once(second.child, 'exit');

    const roots = await start(t, folder);
    assert.deepEqual(await keptIn(roots.url), KEPT, 'root runs it as the owner');
    await roots.stop();
    const again = await runServer(t, folder, { uid: ORDINARY_USER });
    assert.deepEqual(await keptIn(again.url), KEPT, 'and the owner can start it again');

    const foreign = await dataFolder(t);
    const refused = await startServer(t, foreign, { uid: ORDINARY_USER });
    assert.match(refused.report.failure ?? '', /^StartupError: The data folder .* cannot be written \(EACCES\): /);
  },
);

function canOrdinaryUserRead(): boolean {
  const args = ['--eval', `require('node:fs').readFileSync(${JSON.stringify(import.meta.filename)})`];
  return spawnSync(process.execPath, args, { uid: ORDINARY_USER, gid: ORDINARY_USER, cwd: '/' }).status === 0;
}
