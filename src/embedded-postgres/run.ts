import { execFile } from 'node:child_process';

/**
 * How PostgreSQL's programs are started, because they refuse root: the words to put before the command, and the user to
 * become. `owner` is who must own the data.
 */
export type Account = { before: string[]; as: { uid?: number; gid?: number }; owner?: { uid: number; gid: number } };

/** What PostgreSQL's programs get instead of our environment: no secrets, no PG* variables, messages in English. */
export function cleanEnvironment(): Record<string, string> {
  const kept = ['PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR'];
  const environment: Record<string, string> = { LC_ALL: 'C', TZ: 'UTC' };
  for (const name of kept) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/** Runs a program as the account to its end, in `folder`; never throws. `output` is both streams. */
export function run(account: Account, command: string[], folder: string): Promise<{ ok: boolean; output: string }> {
  const [program = '', ...words] = [...account.before, ...command];
  const options = { cwd: folder, env: cleanEnvironment(), windowsHide: true, timeout: 120_000, ...account.as };
  return new Promise((resolve) => {
    execFile(program, words, options, (error, stdout, stderr) => {
      resolve({ ok: error === null, output: `${stdout}${stderr}${error?.message ?? ''}` });
    });
  });
}
