/** The operator's command line, as a process or in the test's own. */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { mock } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runAdmin } from '../../src/entry/admin/run.ts';
import { importFlag } from './import-flag.ts';

const PROGRAM = fileURLToPath(new URL('../../src/entry/admin.ts', import.meta.url));

export type Ended = { code: number; out: string; err: string };

/** As a process. Outside the checkout, where a developer's `.env` may be. */
export function admin(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const options = { cwd: tmpdir(), env: { PATH: process.env.PATH, NO_COLOR: '1', LOG_LEVEL: 'error', ...env } };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [...importFlag(), PROGRAM, ...args], options, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

/** In this process, which starts in no time. */
export async function adminHere(args: string[], env: Record<string, string>): Promise<Ended> {
  const [log, error] = [mock.method(console, 'log', () => {}), mock.method(console, 'error', () => {})];
  const written = ({ mock: { calls } }: typeof log) => calls.map(({ arguments: [line] }) => `${line}\n`).join('');
  try {
    const code = await runAdmin(args, { LOG_LEVEL: 'error', ...env });
    return { code, out: written(log), err: written(error) };
  } finally {
    log.mock.restore();
    error.mock.restore();
  }
}
