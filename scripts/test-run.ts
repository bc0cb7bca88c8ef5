/** Runs units of tests, a few at once, and reports them as one run, with what took longest at the end. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';
import type { Unit } from './test-plan.ts';

/** Half of a unit's time is waiting: twice as many as the small machines of CI have cores. */
const CONCURRENCY = 4;
/** A test that hangs must fail, and be named; no other takes a third of it. */
const TIMEOUT_MS = 300_000;
const SLOWEST_SHOWN = 15;

/** As the runner's events name them, and as its reports do. */
const COUNTS = {
  tests: 'tests',
  suites: 'suites',
  passed: 'pass',
  failed: 'fail',
  cancelled: 'cancelled',
  skipped: 'skipped',
  todo: 'todo',
};
/** What the runner of one unit says at its end, and we say for all of them. */
const ITS_SUMMARY = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

type TestEvent = { type: string; data: EventData };
type EventData = {
  name?: string;
  nesting?: number;
  file?: string;
  message?: string;
  todo?: unknown;
  skip?: unknown;
  counts?: Record<string, number>;
  details?: { duration_ms?: number };
};
type Options = { flags: string[]; signal: AbortSignal };
type Outcome = {
  hasFailed: boolean;
  events: TestEvent[];
  counts: EventData['counts'];
  durationsMs: Map<string, number>;
};

/** Whether all of them passed. `flags` are for each unit's process. */
export async function runUnits(units: Unit[], options: Options): Promise<boolean> {
  const startedAt = performance.now();
  const reporter = new spec();
  reporter.pipe(process.stdout);
  const say = (message: string) => reporter.write({ type: 'test:diagnostic', data: { nesting: 0, message } });
  const totals = new Map<string, number>();
  const durations: [string, number][] = [];
  const failed: string[] = [];
  const waiting = units.entries();
  const work = async () => {
    for (const [index, unit] of waiting) {
      if (options.signal.aborted) return;
      const outcome = await runUnit(unit, index, options);
      for (const event of outcome.events) reporter.write(event);
      for (const count of Object.keys(COUNTS))
        totals.set(count, (totals.get(count) ?? 0) + (outcome.counts?.[count] ?? 0));
      durations.push(...outcome.durationsMs);
      if (outcome.hasFailed) failed.push(...unit.files);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  say(`slowest files:\n${table(durations)}`);
  for (const [count, label] of Object.entries(COUNTS)) say(`${label} ${totals.get(count) ?? 0}`);
  say(`duration_ms ${Math.round(performance.now() - startedAt)}`);
  if (failed.length > 0) say(`failures in ${failed.join(', ')}`);
  reporter.end();
  await finished(reporter, { writable: false });
  return failed.length === 0;
}

async function runUnit(unit: Unit, index: number, { flags, signal }: Options): Promise<Outcome> {
  const startedAt = performance.now();
  const outcome: Outcome = { hasFailed: false, events: [], counts: {}, durationsMs: new Map() };
  const events = run({
    files: [entryOf(unit, index)],
    timeout: TIMEOUT_MS,
    execArgv: flags,
    signal,
    env: { ...process.env, ...(unit.door === 'deno' ? { ACCEPTANCE_URL: process.env.RENDIO_TEST_DENO_URL } : {}) },
  });
  for await (const { type, data } of events as AsyncIterable<TestEvent>) {
    if (type === 'test:summary') {
      if (data.file === undefined) outcome.counts = data.counts;
      continue;
    }
    if (type === 'test:diagnostic' && data.nesting === 0 && ITS_SUMMARY.test(data.message ?? '')) continue;
    if (type === 'test:fail') outcome.hasFailed ||= data.todo === undefined && data.skip === undefined;
    if (data.nesting === 0 && (type === 'test:pass' || type === 'test:fail')) addDuration(outcome, unit, data);
    outcome.events.push({ type, data: named(unit, data) });
  }
  if (unit.files.length === 1)
    outcome.durationsMs = new Map([[labelOf(unit, unit.name), performance.now() - startedAt]]);
  return outcome;
}

/** The file itself, or one that loads all of the unit's. */
function entryOf({ files, name }: Unit, index: number): string {
  if (files.length === 1) return resolve(files[0] ?? '');
  const entry = join(tmpdir(), `${index}-${basename(name)}.mjs`);
  const imports = files.map((file) => `import ${JSON.stringify(pathToFileURL(resolve(file)).href)};\n`);
  writeFileSync(entry, imports.join(''));
  return entry;
}

/** Says which door it was: both run the same tests. */
function named(unit: Unit, data: EventData): EventData {
  const isAtTop = data.nesting === 0 && data.name !== undefined;
  return isAtTop && unit.door === 'deno' ? { ...data, name: labelOf(unit, data.name ?? '') } : data;
}

function labelOf({ door }: Unit, name: string): string {
  return door === 'deno' ? `Deno door: ${name}` : name;
}

function addDuration({ durationsMs }: Outcome, unit: Unit, { file, details }: EventData): void {
  const path = file === undefined ? '' : relative(process.cwd(), file);
  // A test that a helper has declared is of one of the unit's files.
  const label = labelOf(unit, unit.files.includes(path) ? path : unit.name);
  durationsMs.set(label, (durationsMs.get(label) ?? 0) + (details?.duration_ms ?? 0));
}

function table(durations: [string, number][]): string {
  const slowest = durations.sort(([, a], [, b]) => b - a).slice(0, SLOWEST_SHOWN);
  return slowest.map(([name, ms]) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${name}`).join('\n');
}
