/** Which test files run, which of them share a process, in which order, and what they need beside PostgreSQL. */
import { globSync, statSync } from 'node:fs';
import { join, normalize } from 'node:path';
import type { Service } from '../test/support/shared-services.ts';

/** Test files that one process runs one after the other. */
export type Unit = {
  name: string;
  files: string[];
  /** The black-box tests are run once more, against the Deno door. */
  door: 'node' | 'deno';
};

/** Run by itself, it runs the black-box tests against the Deno door; the runner queues them instead. */
const DENO_PASS = path('test/door/acceptance.test.ts');
const BLACK_BOX = path('test/acceptance/');

/**
 * Folders whose files share processes, and how many processes: to start one and to load the application costs as much as a
 * dozen tests. A file that kills processes, or that takes long, has a process of its own.
 */
const PROCESSES: [folder: string, count: number][] = [
  ['test/acceptance/', 6],
  ['test/app/', 1],
  ['test/apple/', 2],
  ['test/browser/', 5],
  ['test/features/', 4],
  ['test/client/', 3],
  ['test/conformance/', 2],
  ['test/media/', 2],
  ['test/providers/', 2],
  ['test/sim/', 2],
  ['test/db/', 1],
  ['test/docs/', 1],
  ['test/entry/', 2],
  ['test/http/', 1],
  ['test/kernel/', 1],
  ['test/money/', 1],
  ['test/scripts/', 1],
];
const ALONE = [
  'test/client/package.test.ts',
  'test/docs/guides.test.ts',
  'test/entry/package.test.ts',
  'test/features/generations/crash-points.test.ts',
  'test/providers/sandbox.test.ts',
].map(path);

/** The slowest first, so that none of them runs alone at the end. */
const FIRST = [
  'test/stories/chaos.test.ts',
  'test/stories/fault-matrix.test.ts',
  'test/stories/',
  'test/queue/',
  'test/acceptance/',
  'test/browser/',
  'test/client/',
  'test/features/',
  'test/providers/',
].map(path);

/** Left out of `--quick`: browsers, Deno, killed processes, whole stories and long renders take two thirds of the time. */
const SLOW = [
  'test/browser/',
  'test/client/package.test.ts',
  'test/conformance/probe.test.ts',
  'test/docs/guides.test.ts',
  'test/door/',
  'test/embedded-postgres/',
  'test/entry/package.test.ts',
  'test/features/generations/crash-points.test.ts',
  'test/media/playable.test.ts',
  'test/media/probe.test.ts',
  'test/providers/sandbox.test.ts',
  'test/db/pooler.test.ts',
  'test/queue/cut-sessions.test.ts',
  'test/queue/database-restart.test.ts',
  'test/queue/killed-worker.test.ts',
  'test/queue/shutdown.test.ts',
  'test/stories/',
].map(path);

/** The files that the words name, all without any. */
export function findTestFiles(words: string[], isQuick = false): string[] {
  const files = (words.length > 0 ? words : ['test']).flatMap((word) => {
    const isFolder = statSync(word, { throwIfNoEntry: false })?.isDirectory() ?? false;
    return globSync(isFolder ? join(word, '**/*.test.ts') : word).map(normalize);
  });
  const isWanted = (file: string) => !file.startsWith(path('test/support/')) && !(isQuick && startsWithAny(file, SLOW));
  return [...new Set(files)].filter(isWanted).sort();
}

/** In the order in which they are to be begun. */
export function planUnits(files: string[]): Unit[] {
  const own = files.filter((file) => file !== DENO_PASS);
  const units = unitsOf(own, 'node');
  if (files.includes(DENO_PASS)) units.push(...unitsOf(findTestFiles([BLACK_BOX]), 'deno'));
  return units.sort((a, b) => rankOf(a) - rankOf(b));
}

export function neededServices(units: Unit[]): Set<Service> {
  const needed = new Set<Service>();
  for (const { files, door } of units) {
    if (door === 'deno') needed.add('deno-door');
    else if (files.some((file) => startsWithAny(file, SHARE_SERVER))) needed.add('server');
    if (files.some((file) => file.startsWith(path('test/browser/')))) needed.add('browser');
    if (door === 'node' && files.some((file) => startsWithAny(file, START_CLUSTERS))) needed.add('cluster');
  }
  return needed;
}

/** Some of these start servers with a PostgreSQL of their own. */
const START_CLUSTERS = [
  'test/acceptance/',
  'test/browser/outages.test.ts',
  'test/client/events.test.ts',
  'test/queue/',
].map(path);
const SHARE_SERVER = ['test/acceptance/', 'test/browser/', 'test/client/', 'test/docs/guides.test.ts'].map(path);

function unitsOf(files: string[], door: Unit['door']): Unit[] {
  const alone = files.filter((file) => ALONE.includes(file) || !folderOf(file));
  const units = alone.map((file): Unit => ({ name: file, files: [file], door }));
  for (const [folder, count] of PROCESSES) {
    const members = files.filter((file) => folderOf(file) === folder && !alone.includes(file));
    for (const share of shares(members, count)) {
      units.push({ name: share.length === 1 ? (share[0] ?? '') : path(folder), files: share, door });
    }
  }
  return units;
}

function folderOf(file: string): string | undefined {
  return PROCESSES.find(([folder]) => file.startsWith(path(folder)))?.[0];
}

/** Shares of about the same length: the longer a file, the longer it takes. */
function shares(files: string[], count: number): string[][] {
  const found = Array.from({ length: Math.min(count, files.length) }, () => ({ bytes: 0, files: [] as string[] }));
  const sized = files.map((file) => ({ file, bytes: statSync(file).size })).sort((a, b) => b.bytes - a.bytes);
  for (const { file, bytes } of sized) {
    const least = found.toSorted((a, b) => a.bytes - b.bytes)[0];
    least?.files.push(file);
    if (least) least.bytes += bytes;
  }
  return found.map((share) => share.files);
}

function rankOf({ files }: Unit): number {
  const rank = FIRST.findIndex((start) => files[0]?.startsWith(start));
  return rank < 0 ? FIRST.length : rank;
}

function startsWithAny(file: string, starts: string[]): boolean {
  return starts.some((start) => file.startsWith(start));
}

/** As this machine writes it. */
function path(name: string): string {
  return normalize(name);
}
