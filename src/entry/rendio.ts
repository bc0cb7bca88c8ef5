#!/usr/bin/env node
/** `npx rendio [command]`: the command line of the package. Each command is an entry of its own, loaded when it is asked for. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { styleText } from 'node:util';
import { isSupportedNode, runMain } from './run.ts';
import { readVersion } from './version.ts';

/** Commands by name: the entry's file without its ending, and what it does. */
const COMMANDS: Record<string, [file: string, summary: string]> = {
  start: ['node', 'the server, with everything it needs; what runs without a command'],
  worker: ['worker', 'background work alone, on DATABASE_URL'],
  admin: ['admin', 'the operator’s command line: rendio admin --help'],
  doctor: ['doctor', 'checks the configuration, and says what to do'],
  demo: ['demo', 'one video from the terminal: rendio demo "a cat playing piano"'],
};
const DEFAULT_COMMAND = 'start';
const PARENT_CHECK_MS = 500;

/** The package holds JavaScript, the repository TypeScript. */
const ENDING = extname(import.meta.url);
const entryOf = (file: string) => new URL(`./${file}${ENDING}`, import.meta.url);
const available = Object.entries(COMMANDS).filter(([, [file]]) => existsSync(entryOf(file)));

await main(process.argv.slice(2));

async function main([word = DEFAULT_COMMAND, ...args]: string[]): Promise<void> {
  if (['--help', '-h', 'help'].includes(word)) return console.log(usage());
  if (['--version', '-v'].includes(word)) return console.log(readVersion());
  const command = available.find(([name]) => name === word);
  if (!command) {
    console.error(`There is no command ${word}.\n\n${usage()}`);
    process.exit(2);
  }
  const node = isSupportedNode() ? null : installedNode();
  if (node) return runAgain(node, [word, ...args]);
  const [, [file]] = command;
  if (process.env.npm_lifecycle_event === 'npx') endWithParent();
  // The entry reads its arguments as if it had been started by itself.
  process.argv = [process.execPath, entryOf(file).pathname, ...args];
  await runMain(() => import(entryOf(file).href));
}

/** npx runs this in a shell that passes no signals on: where that ends, this process has to shut down as well. */
function endWithParent(): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, PARENT_CHECK_MS);
  timer.unref();
}

function usage(): string {
  const lines = available.map(([name, [, summary]]) => `  rendio ${name.padEnd(8)} ${styleText('dim', summary)}`);
  return `Usage: rendio [command]\n\n${lines.join('\n')}\n\nThe variables of .env in the current folder are read; data is kept in .data there (DATA_DIR).`;
}

/** The Node.js that was installed with the package for this machine. */
function installedNode(): string | null {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const program = process.platform === 'win32' ? 'node.exe' : 'node';
  try {
    return createRequire(import.meta.url).resolve(`node-${platform}-${process.arch}/bin/${program}`);
  } catch {
    return null;
  }
}

/** Runs this command line with another Node.js: signals go to it, and its end is the end of this process. */
function runAgain(node: string, args: string[]): void {
  const [, script = ''] = process.argv;
  const child = spawn(node, [script, ...args], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}
