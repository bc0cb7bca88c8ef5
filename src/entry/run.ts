import { existsSync } from 'node:fs';
import { StartupError } from '../kernel/startup-error.ts';

/** Native .env support, type stripping and the web APIs are all available from this version on. */
const NODE_MIN = [22, 20] as const;

/** Runs a process's main function. A failed start is one sentence on standard error and exit code 1. */
export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    requireNode();
    if (existsSync('.env')) process.loadEnvFile('.env');
    await main();
  } catch (error) {
    exitWith(error);
  }
}

/** Ends the process with exit code 1 and prints why: in one sentence if the operator can fix it. */
export function exitWith(error: unknown): never {
  if (error instanceof StartupError) console.error(`\n${error.message}\n`);
  else console.error(error);
  process.exit(1);
}

/** Whether this process's Node.js can run the server. */
export function isSupportedNode(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
}

function requireNode(): void {
  if (isSupportedNode()) return;
  throw new StartupError(`Node.js ${NODE_MIN.join('.')} or newer is needed; this is ${process.versions.node}.`);
}
