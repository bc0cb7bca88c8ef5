import { accessSync, constants } from 'node:fs';
import { lchown, readdir, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { StartupError } from '../kernel/startup-error.ts';
import { type Account, run } from './run.ts';

/** `nobody` and its group on every Linux; inside a user namespace it is only the name that root goes by. */
const NOBODY = 65534;

/** Finds an account that can execute `program` and write to `folder`, and gives it the folder where it has to own it. */
export async function chooseAccount(program: string, folder: string): Promise<Account> {
  for (const account of await candidates(folder)) {
    if (account.owner) await giveTo(folder, account.owner);
    if (account.before.length === 0 && account.as.uid === undefined) return account;
    const seen = await run(account, ['/bin/sh', '-c', 'test -x "$1" && test -w "$2"', 'sh', program, folder], '/');
    if (seen.ok) return account;
  }
  const advice = 'start as an ordinary user, or set DATABASE_URL';
  throw new StartupError(`PostgreSQL refuses to run as root, and no other user can use ${folder}: ${advice}.`);
}

async function candidates(folder: string): Promise<Account[]> {
  // The kernel sends INT to PostgreSQL when our main thread is gone, so that even after SIGKILL it ends cleanly.
  const setpriv = process.platform === 'linux' ? findTool('setpriv') : undefined;
  const leash = setpriv ? [setpriv, '--pdeathsig', 'INT'] : [];
  const plain = { before: [], as: {} };
  if (process.getuid?.() !== 0) return setpriv ? [{ before: leash, as: {} }, plain] : [plain];

  const { uid, gid } = await stat(folder);
  const heir = uid === 0 ? { uid: NOBODY, gid: NOBODY } : { uid, gid };
  const found: Account[] = [];
  const unshare = process.platform === 'linux' ? findTool('unshare') : undefined;
  if (unshare && uid === 0) {
    const before = [unshare, '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, ...leash];
    found.push({ before, as: {} });
  }
  if (setpriv) found.push({ before: [...leash, ...becoming(heir)], as: {}, owner: heir });
  found.push({ before: leash, as: heir, owner: heir });
  return found;
}

/** `dac_override` lets the user reach code and data that lie under private folders of root. */
function becoming(user: { uid: number; gid: number }): string[] {
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

async function giveTo(folder: string, owner: { uid: number; gid: number }): Promise<void> {
  if ((await stat(folder)).uid === owner.uid) return;
  for (const name of await readdir(folder, { recursive: true })) await lchown(join(folder, name), owner.uid, owner.gid);
  await lchown(folder, owner.uid, owner.gid);
}
