/**
 * `npm run check:generators`: the OpenAPI document passes a linter, and what generators make of it compiles under `strict`.
 * They are locked in `scripts/generators`, apart from the project's own dependencies, and installed there when they changed.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { styleText } from 'node:util';

const LOCK = 'package-lock.json';
const TOOLS = resolve('scripts/generators');
/** Ignored by git and by the project's own checks. */
const FOLDER = resolve('node_modules/.cache/generators');
const DOCUMENT = resolve('docs/openapi.json');
/** The tools report their use, and look for newer versions, unless they are told not to. */
const ENV = {
  ...process.env,
  REDOCLY_TELEMETRY: 'off',
  REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
  DO_NOT_TRACK: '1',
  CI: '1',
};
const OUTPUT_MAX = 16 * 1024 * 1024;

type Step = { name: string; command: [file: string, ...args: string[]] };

function bin(name: string): string {
  return join(FOLDER, 'node_modules', '.bin', name);
}

const STEPS: Step[] = [
  { name: 'lint: @redocly/cli', command: [bin('redocly'), 'lint', DOCUMENT, '--extends', 'recommended'] },
  { name: 'types: openapi-typescript', command: [bin('openapi-typescript'), DOCUMENT, '--output', 'out/types.ts'] },
  {
    name: 'client: orval',
    command: [bin('orval'), '--input', DOCUMENT, '--output', 'out/orval.ts', '--client', 'fetch'],
  },
  { name: 'client: @hey-api/openapi-ts', command: [bin('openapi-ts'), '--input', DOCUMENT, '--output', 'out/hey'] },
  { name: 'tsc --strict', command: [bin('tsc'), '--project', '.'] },
];

const TSCONFIG = {
  compilerOptions: {
    ...{ target: 'es2022', module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom', 'dom.iterable'] },
    ...{ types: [], strict: true, noEmit: true, skipLibCheck: true },
  },
  include: ['out'],
};

install();
rmSync(join(FOLDER, 'out'), { recursive: true, force: true });
mkdirSync(join(FOLDER, 'out'), { recursive: true });
writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(TSCONFIG));
process.exit(STEPS.filter((step) => !passes(step)).length === 0 ? 0 : 1);

function install(): void {
  const lock = readFileSync(join(TOOLS, LOCK), 'utf8');
  const installed = join(FOLDER, LOCK);
  if (existsSync(installed) && existsSync(bin('tsc')) && readFileSync(installed, 'utf8') === lock) return;
  mkdirSync(FOLDER, { recursive: true });
  for (const file of ['package.json', LOCK]) cpSync(join(TOOLS, file), join(FOLDER, file));
  const npm = {
    name: 'install',
    command: ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'] as Step['command'],
  };
  if (!passes(npm)) process.exit(1);
}

function passes({ name, command: [file, ...args] }: Step): boolean {
  const startedAt = performance.now();
  const { status, stdout, stderr } = spawnSync(file, args, {
    cwd: FOLDER,
    env: ENV,
    encoding: 'utf8',
    maxBuffer: OUTPUT_MAX,
  });
  const took = styleText('dim', `${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  console.log(`${status === 0 ? styleText('green', '✓') : styleText('red', '✗')} ${name} ${took}`);
  if (status !== 0) console.log(`${stdout}${stderr}`.trim().replace(/^/gm, '    '));
  return status === 0;
}
