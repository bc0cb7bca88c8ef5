/**
 * Checks the architecture: imports go down the floors, never up, never sideways between rooms, never in a circle; code below
 * the app uses nothing ambient; files and functions stay small. Imports of types count. Returns one line for each offence.
 */
import { globSync, readFileSync } from 'node:fs';
import { circlesIn } from './find-circles.ts';
import { parseSource, type SourceFunction } from './source-file.ts';

/** From the ground up. A folder under `src/` is on the floor that names it. */
const FLOORS: string[][] = [
  ['kernel'],
  ['platform'],
  ['db'],
  ['http', 'queue', 'providers', 'apple', 'media', 'moderation', 'push', 'payments', 'alerts', 'webhooks'],
  ['features'],
  ['app'],
  ['embedded-postgres'],
  ['entry'],
];
const FLOOR_OF_AMBIENT = FLOORS.findIndex((rooms) => rooms.includes('app'));
/** The client's folders, the lowest first; rooms of one line do not import each other. */
const CLIENT_FLOORS: string[][] = [['http'], ['session'], ['events'], ['generate', 'uploads', 'account']];
/** What each tree beside `src/` may import besides itself. */
const NEIGHBOURS: Record<string, string[]> = {
  client: [],
  web: ['client/src/'],
  sim: ['src/kernel/', 'src/platform/', 'src/providers/sandbox/renderer/'],
  bench: ['src/', 'client/src/', 'sim/', 'test/support/'],
  scripts: ['src/', 'client/', 'test/support/'],
  supabase: ['src/entry/'],
  test: ['src/', 'client/', 'sim/', 'scripts/', 'bench/', 'web/', 'supabase/'],
};

/** A longer file has to be split. Tests may be longer: they are lists. */
const FILE_LINES_MAX = 250;
const FUNCTION_LINES_MAX = 70;
/** Exceptions as `file: function`, each with the reason why it is not split. At most five. */
export const LONG_FUNCTIONS: Record<string, string> = {
  'test/media/store-conformance.ts: storeConformance': 'a test suite, which three stores run',
};

/** Files of the features' folder that every feature may import. */
const SHARED_BY_FEATURES = ['src/features/context.ts'];
const GENERATED = ['src/db/generated.ts', 'src/db/procedures.ts', 'client/src/openapi.ts'];

const CALLS = 'calls the network';
/** What must be passed in and not be used directly. Types and comments may name it. */
const AMBIENT: [RegExp, string][] = [
  [/\bprocess\.env\b/, 'reads the environment'],
  [/\bDate\.now\(\)|\bnew Date\(\)/, 'reads the clock'],
  [/(?<![.\w])fetch\(/, CALLS],
  [/\bMath\.random\(/, 'uses Math.random'],
];
/** The implementation of the clock. */
const AMBIENT_HOMES = ['src/kernel/clock.ts'];
/** In verbs alone: gateways name temporary files and requests by themselves. */
const AMBIENT_IN_FEATURES: [RegExp, string] = [/\bcrypto\.(?:randomUUID|getRandomValues)\(/, 'makes random values'];

export function checkFloors(files: Map<string, string>): string[] {
  const offences: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [file, text] of files) {
    const { imports, functions } = parseSource(file, text);
    graph.set(file, imports);
    if (file.startsWith('src/') && floorOf(file) < 0) offences.push(`${file}: a folder without a floor`);
    for (const to of imports) {
      const offence = offenceOf(file, to);
      if (offence) offences.push(`${file} → ${to}: ${offence}`);
    }
    offences.push(...ambientIn(file, text), ...longIn(file, text, functions));
  }
  return [...offences, ...circlesIn(graph)];
}

function floorOf(file: string): number {
  const [, folder = ''] = file.split('/');
  return FLOORS.findIndex((rooms) => rooms.includes(folder));
}

function roomOf(file: string): string {
  const [, folder = '', slice = ''] = file.split('/');
  return folder === 'features' && !SHARED_BY_FEATURES.includes(file) ? `features/${slice}` : folder;
}

/** Inside a slice: `http`, `worker`, or `verbs` for its top. */
function innerRoomOf(file: string): string {
  const [, , , inner = ''] = file.split('/');
  return inner === 'http' || inner === 'worker' ? inner : 'verbs';
}

function offenceOf(from: string, to: string): string | null {
  const [tree = '', target = ''] = [from.split('/')[0], to.split('/')[0]];
  if (tree !== 'src') {
    if (tree === 'client' && target === 'client') return clientOffence(from, to);
    const isAllowed = target === tree || (NEIGHBOURS[tree] ?? []).some((prefix) => to.startsWith(prefix));
    return isAllowed ? null : `${tree} may not import this`;
  }
  if (target === 'sim') return from.startsWith('src/entry/') ? null : 'only an entry may load the simulators';
  if (target === 'client') return from.startsWith('src/entry/') ? null : 'only an entry may be a client';
  return target === 'src' ? floorOffence(from, to) : 'src imports src alone';
}

function floorOffence(from: string, to: string): string | null {
  const [here, there] = [floorOf(from), floorOf(to)];
  if (there > here) return 'imports go down the floors';
  const isFeature = roomOf(from).startsWith('features/');
  if (there < here) {
    const isHttpOutside = isFeature && roomOf(to) === 'http' && innerRoomOf(from) !== 'http';
    return isHttpOutside ? 'only the room http/ of a slice may import src/http' : null;
  }
  if (SHARED_BY_FEATURES.includes(to)) return null;
  if (roomOf(from) !== roomOf(to)) return `${roomOf(from)} and ${roomOf(to)} are rooms of one floor`;
  return isFeature ? innerOffence(innerRoomOf(from), innerRoomOf(to)) : null;
}

/** Both rooms of a slice import its verbs. The verbs import neither room, and the rooms do not import each other. */
function innerOffence(from: string, to: string): string | null {
  return from === to || to === 'verbs' ? null : `${from} may not import ${to}/ of its slice`;
}

function clientOffence(from: string, to: string): string | null {
  const floorIn = (file: string) => CLIENT_FLOORS.findIndex((rooms) => rooms.includes(file.split('/')[2] ?? ''));
  const [here, there] = [floorIn(from), floorIn(to)];
  if (here < 0 || there < here) return null;
  if (there === here) return from.split('/')[2] === to.split('/')[2] ? null : 'rooms of one floor of the client';
  return 'imports go down the floors of the client';
}

function ambientIn(file: string, text: string): string[] {
  const isBelow = file.startsWith('src/') && floorOf(file) < FLOOR_OF_AMBIENT;
  if (!isBelow || AMBIENT_HOMES.includes(file)) return [];
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  // A file that names the type of `fetch` gets it passed in.
  const getsFetch = /\btypeof (?:globalThis\.)?fetch\b/.test(code);
  const rules = roomOf(file).startsWith('features/') ? [...AMBIENT, AMBIENT_IN_FEATURES] : AMBIENT;
  return rules
    .filter(([pattern, action]) => pattern.test(code) && !(getsFetch && action === CALLS))
    .map(([, action]) => `${file}: ${action}; have it passed in`);
}

function longIn(file: string, text: string, functions: SourceFunction[]): string[] {
  const lines = text.split('\n').length;
  const isLong = lines > FILE_LINES_MAX && !file.startsWith('test/') && !GENERATED.includes(file);
  return [
    ...(isLong ? [`${file}: ${lines} lines; split it before ${FILE_LINES_MAX}`] : []),
    ...functions
      .filter((found) => found.lines > FUNCTION_LINES_MAX && !(`${file}: ${found.name}` in LONG_FUNCTIONS))
      .map(
        (found) => `${file}:${found.line}: ${found.name} has ${found.lines} lines; ${FUNCTION_LINES_MAX} fit a screen`,
      ),
  ];
}

/** Everything that is committed and written by hand, by path. */
export function readSources(): Map<string, string> {
  const roots = ['src', 'client/src', 'web', 'sim', 'scripts', 'bench', 'supabase', 'test'];
  return new Map(
    globSync(roots.map((root) => `${root}/**/*.{ts,tsx}`))
      .map((file) => file.replaceAll('\\', '/'))
      .filter((file) => !/\/(?:dist|node_modules)\//.test(file))
      .sort()
      .map((file) => [file, readFileSync(file, 'utf8')]),
  );
}
