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
/** The first of the system's users, `daemon` or `bin`: an ordinary one as far as files go. */
const SOMEBODY = 1;
const needsRoot = { skip: isRoot && isLinux ? false : 'needs root on Linux' };

test('root may start it under private folders, also where user namespaces are forbidden', needsRoot, async (t) => {
  const folder = await dataFolder(t);
  const data = join(folder, 'private', 'data');
  await mkdir(data, { recursive: true, mode: 0o700 });
  await chmod(join(folder, 'private'), 0o700);
  const own = await start(t, data);
  await query(own.url, KEEP);
  await own.stop();
  assert.equal((await stat(join(data, 'postgres'))).uid, 0);

  const forbidden = await withoutTools(t, 'unshare');
  for (const attempt of ['the data is given to nobody', 'the data is with nobody']) {
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

test('root without any tool starts it as nobody where nobody may go', needsRoot, async (t) => {
  const folder = await dataFolder(t);
  await chmod(folder, 0o755);
  const bare = await withoutTools(t, 'unshare', 'setpriv');
  const data = join(folder, 'data');
  const refused = await startServer(t, data, { path: bare });
  assert.match(
    refused.said.failure ?? '',
    /^StartupError: PostgreSQL refuses to run as root, and no other user can use/,
  );
  await chmod(data, 0o711);
  const server = await runServer(t, data, { path: bare });
  assert.deepEqual(await query(server.url, 'select 1 as one'), [{ one: 1 }]);
  // Nothing but the server would end this PostgreSQL.
  server.child.kill('SIGTERM');
  await once(server.child, 'exit');
  assert.ok(isGone(server.pid));
});

test(
  'an ordinary user starts it, keeps the data over kill -9, and is told of a folder that is not theirs',
  needsRoot,
  async (t) => {
    if (!canSomebodyRead()) return t.skip('the project lies where an ordinary user cannot read it');
    const folder = await dataFolder(t);
    await chown(folder, SOMEBODY, SOMEBODY);
    const first = await runServer(t, folder, { uid: SOMEBODY });
    await query(first.url, KEEP);
    await kill(first.child);
    const second = await runServer(t, folder, { uid: SOMEBODY });
    assert.deepEqual(await keptIn(second.url), KEPT);
    second.child.kill('SIGTERM');
    await once(second.child, 'exit');

    const roots = await start(t, folder);
    assert.deepEqual(await keptIn(roots.url), KEPT, 'root runs it as the owner');
    await roots.stop();
    const again = await runServer(t, folder, { uid: SOMEBODY });
    assert.deepEqual(await keptIn(again.url), KEPT, 'and the owner can go on');

    const foreign = await dataFolder(t);
    const refused = await startServer(t, foreign, { uid: SOMEBODY });
    assert.match(refused.said.failure ?? '', /^StartupError: The data folder .* cannot be written \(EACCES\): /);
  },
);

function canSomebodyRead(): boolean {
  const words = ['--eval', `require('node:fs').readFileSync(${JSON.stringify(import.meta.filename)})`];
  return spawnSync(process.execPath, words, { uid: SOMEBODY, gid: SOMEBODY, cwd: '/' }).status === 0;
}
