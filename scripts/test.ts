/**
 * Runs the tests: `node scripts/test.ts [--quick] [files, folders or globs] [--flag=value of node's for tests]`. One
 * PostgreSQL serves all files; test/support/global-setup.ts says which, and what else they share. The exit code is the
 * runner's.
 */
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { StartupError } from '../src/kernel/startup-error.ts';
import { globalSetup, globalTeardown } from '../test/support/global-setup.ts';
import { importFlag } from '../test/support/import-flag.ts';
import { startSharedServices } from '../test/support/shared-services.ts';
import { bundleLibraries } from './bundle-libraries.ts';
import { findTestFiles, neededServices, planUnits, type Unit } from './test-plan.ts';
import { runUnits } from './test-run.ts';

const words = process.argv.slice(2);
const isQuick = words.includes('--quick');
const wanted = words.filter((word) => !isFlag(word));
const flags = words.filter((word) => isFlag(word) && word !== '--quick');
const units = planUnits(findTestFiles(wanted, isQuick));

if (units.length === 0) {
  console.error(`No test files match ${wanted.join(' ')}.`);
  process.exit(1);
}
const interrupt = new AbortController();
let interruptedBy: NodeJS.Signals | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interruptedBy ??= signal;
    interrupt.abort(new Error(`interrupted by ${signal}`));
  });
}
const code = await testWithServices(units);
process.exitCode = interruptedBy ? 128 + constants.signals[interruptedBy] : code;

function isFlag(word: string): boolean {
  const isFolder = statSync(word, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return word.startsWith('-') || (!/[*]|\.ts$/.test(word) && !isFolder);
}

/** Sets up, runs and tears down, also when interrupted. */
async function testWithServices(units: Unit[]): Promise<number> {
  // Some hundred processes are started, of the same code.
  process.env.NODE_COMPILE_CACHE ??= resolve('node_modules/.cache/node');
  try {
    await globalSetup();
    process.env.RENDIO_TEST_IMPORT = await bundleLibraries('node_modules/.cache/libraries');
    await startSharedServices(neededServices(units));
    if (interrupt.signal.aborted) return 1;
    return (await runUnits(units, { flags: [...importFlag(), ...flags], signal: interrupt.signal })) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    console.error(error.message);
    return 1;
  } finally {
    await globalTeardown();
  }
}
