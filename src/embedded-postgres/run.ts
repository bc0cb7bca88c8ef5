import { execFile } from 'node:child_process';

/**
 * How PostgreSQL's programs are started, which refuse to run as root: `prefix` goes before the command, `user` is the user to
 * run as. `owner` is the user who must own the data.
 */
export type Account = { prefix: string[]; user: { uid?: number; gid?: number }; owner?: { uid: number; gid: number } };

/** The environment of PostgreSQL's programs: none of our secrets, no PG* variables, messages in English. */
export function cleanEnvironment(): Record<string, string> {
  const kept = ['PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR'];
  const environment: Record<string, string> = { LC_ALL: 'C', TZ: 'UTC' };
  for (const name of kept) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/** Runs a program to its end as the account, in `folder`; never throws. `output` is both streams. */
export function run(account: Account, command: string[], folder: string): Promise<{ ok: boolean; output: string }> {
  const [program = '', ...args] = [...account.prefix, ...command];
  const options = { cwd: folder, env: cleanEnvironment(), windowsHide: true, timeout: 120_000, ...account.user };
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      resolve({ ok: error === null, output: `${stdout}${stderr}${error?.message ?? ''}` });
    });
  });
}
