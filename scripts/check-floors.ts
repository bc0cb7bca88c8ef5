/**
 * Keeps the house standing: imports go down the floors, never up, never sideways between rooms, never in a circle; nothing
 * ambient below the app; files stay small. Returns one line for each offence.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** From the ground up. A folder under `src/` is on the floor that names it. */
const FLOORS: string[][] = [
  ['kernel'],
  ['db'],
  ['http', 'queue', 'providers', 'apple', 'media', 'alerts'],
  ['features'],
  ['app'],
  ['entry'],
];
const FLOOR_OF_AMBIENT = 4;
/** A file longer than this is several files. */
const LINES_MAX = 250;
/** What every feature may know: not a feature itself. */
const COMMON = ['src/features/context.ts'];

const CALLS = 'calls the network';
/** What a verb is handed instead of reaching for it. Types and comments may name them. */
const AMBIENT: [RegExp, string][] = [
  [/\bprocess\.env\b/, 'reads the environment'],
  [/\bDate\.now\(\)|\bnew Date\(\)/, 'looks at the clock'],
  [/(?<![.\w])fetch\(/, CALLS],
  [/\bMath\.random\(/, 'rolls dice'],
];
/** The clock itself. */
const AMBIENT_HOMES = ['src/kernel/clock.ts'];

type Place = { floor: number; room: string };
type Import = { from: string; to: string };
type Target = { to: string; isTypeOnly: boolean };

function placeOf(file: string): Place {
  const [, folder = '', sub = ''] = file.split('/');
  const floor = FLOORS.findIndex((rooms) => rooms.includes(folder));
  return { floor, room: folder === 'features' && !COMMON.includes(file) ? `features/${sub}` : folder };
}

/** Imports of our own files: static, re-exported and dynamic. */
function importsOf(file: string, source: string): Target[] {
  const statements = source.matchAll(
    /(?:\b(?:import|export)\b([^'";]*)\bfrom\s*|\bimport\s*\(?\s*)['"](\.[^'"]+)['"]/g,
  );
  return [...statements].map(([, clause = '', specifier = '']) => ({
    to: normalize(join(dirname(file), specifier)),
    isTypeOnly: /^\s*type\b/.test(clause),
  }));
}

function offenceOf({ from, to }: Import): string | null {
  if (to.startsWith('sim/')) {
    return from.startsWith('src/entry/') ? null : 'only an entry may load the simulators';
  }
  if (to.startsWith('client/src/')) return from.startsWith('src/entry/') ? null : 'only an entry may be a client';
  if (!to.startsWith('src/')) return 'src imports src alone';
  const [here, there] = [placeOf(from), placeOf(to)];
  if (there.floor > here.floor) return 'imports go down the floors';
  if (there.floor < here.floor) {
    const isSpeaking = /(?:^|[-/])(?:routes|wire)\.ts$/.test(from);
    if (here.room.startsWith('features/') && there.room === 'http' && !isSpeaking)
      return 'only routes and wire speak HTTP';
    return null;
  }
  if (there.room === here.room || COMMON.includes(to)) return null;
  return `${here.room} and ${there.room} are rooms of one floor`;
}

function ambientIn(file: string, source: string): string[] {
  const { floor } = placeOf(file);
  if (floor >= FLOOR_OF_AMBIENT || AMBIENT_HOMES.includes(file)) return [];
  const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  // Who names its type is handed one of its own.
  const isHandedFetch = /\btypeof (?:globalThis\.)?fetch\b/.test(code);
  return AMBIENT.filter(([pattern, deed]) => pattern.test(code) && !(isHandedFetch && deed === CALLS)).map(
    ([, deed]) => `${file}: ${deed}; have it passed in`,
  );
}

/** The first circle that a depth-first walk meets, as one line. */
function circleIn(graph: Map<string, string[]>): string[] {
  const done = new Set<string>();
  const path: string[] = [];
  function visit(file: string): string[] {
    const start = path.indexOf(file);
    if (start >= 0) return [`${[...path.slice(start), file].join(' → ')}: a circle`];
    if (done.has(file)) return [];
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const found = visit(next);
      if (found.length > 0) return found;
    }
    path.pop();
    done.add(file);
    return [];
  }
  for (const file of graph.keys()) {
    const found = visit(file);
    if (found.length > 0) return found;
  }
  return [];
}

export function checkFloors(files: Map<string, string>): string[] {
  const offences: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [file, source] of files) {
    const targets = importsOf(file, source);
    // Types are gone before anything runs: two files may well describe one another.
    graph.set(
      file,
      targets.filter(({ to, isTypeOnly }) => !isTypeOnly && files.has(to)).map(({ to }) => to),
    );
    if (placeOf(file).floor < 0) offences.push(`${file}: stands on no floor`);
    for (const { to } of targets) {
      const offence = offenceOf({ from: file, to });
      if (offence) offences.push(`${file} → ${to}: ${offence}`);
    }
    offences.push(...ambientIn(file, source));
    const lines = source.split('\n').length;
    if (lines > LINES_MAX && !file.endsWith('/generated.ts'))
      offences.push(`${file}: ${lines} lines; split it before ${LINES_MAX}`);
  }
  return [...offences, ...circleIn(graph)];
}

/** The sources under `src/`, by path. */
export function readSources(): Map<string, string> {
  return new Map(
    globSync('src/**/*.ts')
      .sort()
      .map((file) => [file, readFileSync(file, 'utf8')]),
  );
}
