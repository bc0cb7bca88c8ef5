import assert from 'node:assert/strict';
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { describeDataDirFailure, prepareDataDir } from '../../src/entry/data-dir.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { StartupError } from '../../src/kernel/startup-error.ts';

const noWindows = { skip: process.platform === 'win32' && 'other rights' };

async function folderOf(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'data-dir-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** One sentence that names DATA_DIR and says which folder. */
function isRefusal(path: string) {
  return (error: unknown) => {
    assert.ok(error instanceof StartupError, String(error));
    assert.ok(error.message.includes('DATA_DIR') && error.message.includes(path), error.message);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  };
}

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('a folder that cannot be used is one sentence that names DATA_DIR, and never hangs', noWindows, async (t) => {
  const folder = await folderOf(t);
  await writeFile(join(folder, 'file'), '');
  await symlink(join(folder, 'nowhere', 'at', 'all'), join(folder, 'dangling'));
  await symlink(join(folder, 'circle'), join(folder, 'circle'));
  const unusable = ['/proc/nope', '/proc/nope/deep/down', '/sys/nope', '/dev/null/x'];
  unusable.push(...['file', 'file/below', 'dangling/below', 'circle/below'].map((name) => join(folder, name)));
  for (const path of unusable) await assert.rejects(prepareDataDir(path, silentLog), isRefusal(path), path);
  assert.match(
    String(describeDataDirFailure(fsError('ENOSPC', join(folder, 'work/1')), folder)),
    /DATA_DIR.*disk is full|disk is full.*DATA_DIR/,
  );
  assert.match(String(describeDataDirFailure(fsError('EROFS', join(folder, 'work/1')), folder)), /read-only.*DATA_DIR/);
  const elsewhere = fsError('EACCES', '/etc/shadow');
  assert.equal(describeDataDirFailure(elsewhere, folder), elsewhere);
});

function fsError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: open '${path}'`), { code, path, syscall: 'open' });
}

test('a missing folder is made with those above it, for its owner alone', noWindows, async (t) => {
  const path = join(await folderOf(t), 'on', 'the', 'way');
  assert.equal(await prepareDataDir(path, silentLog), path);
  assert.equal(await modeOf(path), 0o700);
  assert.deepEqual(await readdir(path), [], 'and nothing is left in it');
});

test('what an earlier version left open to others is closed, with all that is in it', noWindows, async (t) => {
  const folder = await folderOf(t);
  const media = join(folder, 'media', 'videos', 'user');
  await mkdir(media, { recursive: true });
  await writeFile(join(media, 'a.mp4'), 'video');
  await writeFile(join(folder, 'development-jwt-key.pem'), 'key');
  await writeFile(join(folder, 'theirs.txt'), 'not ours');
  await symlink('/etc/hostname', join(media, 'link'));
  for (const name of ['', ...(await readdir(folder, { recursive: true }))]) {
    if (!(await lstat(join(folder, name))).isSymbolicLink())
      await chmod(join(folder, name), name.includes('.') ? 0o644 : 0o755);
  }
  const elsewhere = await modeOf('/etc/hostname').catch(() => 0);
  await prepareDataDir(folder, silentLog);
  for (const name of ['', 'media', 'media/videos', 'media/videos/user']) {
    assert.equal(await modeOf(join(folder, name)), 0o700, name);
  }
  for (const name of ['media/videos/user/a.mp4', 'development-jwt-key.pem']) {
    assert.equal(await modeOf(join(folder, name)), 0o600, name);
  }
  assert.equal(await modeOf(join(folder, 'theirs.txt')), 0o644, 'a file that is not ours stays as it is');
  assert.equal(await modeOf('/etc/hostname').catch(() => 0), elsewhere, 'links are not followed');
});

test(
  'a folder that others use as well is named, and stays open; what is ours in it is closed',
  noWindows,
  async (t) => {
    const shared: [mode: number, isOfOthers: boolean][] = [[0o1777, false]];
    // Only root can give a file away.
    if (process.getuid?.() === 0) shared.push([0o755, true]);
    for (const [mode, isOfOthers] of shared) {
      const folder = await folderOf(t);
      await mkdir(join(folder, 'media'));
      await chmod(join(folder, 'media'), 0o755);
      await mkdir(join(folder, 'mail'));
      if (isOfOthers) await chown(join(folder, 'mail'), 65534, 65534);
      await chmod(folder, mode);
      const said: string[] = [];
      await prepareDataDir(folder, { ...silentLog, warn: (_, message) => said.push(message) });
      assert.match(said.join(), /DATA_DIR names a folder that others use as well/);
      assert.equal((await stat(folder)).mode & 0o7777, mode);
      assert.equal(await modeOf(join(folder, 'media')), 0o700);
    }
  },
);
