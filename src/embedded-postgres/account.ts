import { accessSync, constants } from 'node:fs';
import { lchown, readdir, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { StartupError } from '../kernel/startup-error.ts';
import { type Account, run } from './run.ts';

/** `nobody` and its group on every Linux; inside a user namespace, root is mapped to it. */
const NOBODY = 65534;

/** Finds an account that can execute `program` and write to `folder`, and makes it the folder's owner where it has to be. */
export async function chooseAccount(program: string, folder: string): Promise<Account> {
  for (const account of await findCandidates(folder)) {
    if (account.owner) await changeOwner(folder, account.owner);
    if (account.prefix.length === 0 && account.user.uid === undefined) return account;
    const tested = await run(account, ['/bin/sh', '-c', 'test -x "$1" && test -w "$2"', 'sh', program, folder], '/');
    if (tested.ok) return account;
  }
  const advice = 'start as an ordinary user, or set DATABASE_URL';
  throw new StartupError(`PostgreSQL refuses to run as root, and no other user can use ${folder}: ${advice}.`);
}

async function findCandidates(folder: string): Promise<Account[]> {
  // The kernel sends INT to PostgreSQL when our main thread ends, so that PostgreSQL ends cleanly even after our SIGKILL.
  const setpriv = process.platform === 'linux' ? findTool('setpriv') : undefined;
  const parentDeathSignal = setpriv ? [setpriv, '--pdeathsig', 'INT'] : [];
  const plain = { prefix: [], user: {} };
  if (process.getuid?.() !== 0) return setpriv ? [{ prefix: parentDeathSignal, user: {} }, plain] : [plain];

  const { uid, gid } = await stat(folder);
  const target = uid === 0 ? { uid: NOBODY, gid: NOBODY } : { uid, gid };
  const accounts: Account[] = [];
  const unshare = process.platform === 'linux' ? findTool('unshare') : undefined;
  if (unshare && uid === 0) {
    const prefix = [unshare, '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, ...parentDeathSignal];
    accounts.push({ prefix, user: {} });
  }
  if (setpriv) accounts.push({ prefix: [...parentDeathSignal, ...switchUserTo(target)], user: {}, owner: target });
  accounts.push({ prefix: parentDeathSignal, user: target, owner: target });
  return accounts;
}

/** `dac_override` lets the user read code and data in private folders of root. */
function switchUserTo(user: { uid: number; gid: number }): string[] {
  return [
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    '--clear-groups',
    '--securebits=+no_setuid_fixup',
    '--inh-caps=-all,+dac_override',
    '--ambient-caps=-all,+dac_override',
  ];
}

function findTool(name: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return undefined;
}

async function changeOwner(folder: string, owner: { uid: number; gid: number }): Promise<void> {
  if ((await stat(folder)).uid === owner.uid) return;
  for (const name of await readdir(folder, { recursive: true })) await lchown(join(folder, name), owner.uid, owner.gid);
  await lchown(folder, owner.uid, owner.gid);
}
