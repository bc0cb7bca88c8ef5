/**
 * Runs the tests: `node scripts/test.ts [files, folders or globs] [--flag=value of node's for tests]`. One PostgreSQL serves
 * all files; test/support/global-setup.ts says which. The exit code is the runner's.
 */
import { globSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { join, normalize, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { StartupError } from '../src/kernel/startup-error.ts';
import { globalSetup, globalTeardown, startSharedServer } from '../test/support/global-setup.ts';

/** A file is a process of its own, and half of its time is waiting: twice as many as the small machines of CI have cores. */
const CONCURRENCY = 4;

/** The slowest files first, so that none of them runs alone at the end. */
const FIRST = [
  'test/stories/fault-matrix',
  'test/door/acceptance',
  'test/stories',
  'test/browser',
  'test/queue',
  'test/acceptance',
  'test/client',
];

/** A test that hangs must fail, and be named; no other takes a third of it. */
const TIMEOUT_MS = 300_000;

const names = process.argv.slice(2);
const isFlag = (name: string) => name.startsWith('-') || (!/[*]|\.ts$/.test(name) && !isFolder(name));
const flags = names.filter(isFlag);
const wanted = names.filter((name) => !isFlag(name));
const files = (wanted.length > 0 ? wanted : ['test']).flatMap(testFilesOf).sort((a, b) => rankOf(a) - rankOf(b));

if (files.length === 0) {
  console.error(`No test files match ${wanted.join(' ')}.`);
  process.exit(1);
}
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.abort(signal));
const code = await testWithPostgres(files, flags);
process.exitCode = interrupt.signal.aborted ? codeOfSignal(interrupt.signal.reason) : code;

function isFolder(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function testFilesOf(name: string): string[] {
  const pattern = isFolder(name) ? join(name, '**/*.test.ts') : name;
  return globSync(pattern)
    .filter((file) => !file.startsWith(join('test', 'support')))
    .sort();
}

function rankOf(file: string): number {
  const rank = FIRST.findIndex((folder) => file.startsWith(normalize(folder)));
  return rank < 0 ? FIRST.length : rank;
}

/** Speaks to a server by its URL alone. */
function isBlackBox(file: string): boolean {
  return file.startsWith(join('test', 'acceptance'));
}

/** Sets up, runs and tears down, also when interrupted. */
async function testWithPostgres(paths: string[], extra: string[]): Promise<number> {
  try {
    await globalSetup();
    if (paths.some(isBlackBox) && !process.env.ACCEPTANCE_URL) await startSharedServer();
    if (!interrupt.signal.aborted) return await runTests(paths, extra);
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    console.error(error.message);
    return 1;
  } finally {
    await globalTeardown();
  }
  return 1;
}

/** By the runner's own interface: its command line sorts the files by their names. `flags` are for each file's process. */
async function runTests(paths: string[], flags: string[]): Promise<number> {
  // Some hundred processes are started, of the same code.
  process.env.NODE_COMPILE_CACHE ??= resolve('node_modules/.cache/node');
  const events = run({
    files: paths,
    concurrency: CONCURRENCY,
    timeout: TIMEOUT_MS,
    execArgv: flags,
    signal: interrupt.signal,
  });
  let hasFailed = false;
  events.on('test:fail', ({ todo, skip }) => {
    hasFailed ||= todo === undefined && skip === undefined;
  });
  const report = events.compose(spec);
  report.pipe(process.stdout);
  await finished(report, { writable: false });
  return hasFailed ? 1 : 0;
}

function codeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
