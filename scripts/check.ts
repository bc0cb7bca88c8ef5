/** `npm run check`: all checks that do not run tests. */
import { spawnSync } from 'node:child_process';
import { styleText } from 'node:util';
import { checkDocs } from './check-docs.ts';
import { checkFloors, readSources } from './check-floors.ts';

type Check = { name: string; run(): string[] };

/** A check by a program, which ends with 0 if it finds nothing. */
function program(name: string, file: string, ...args: string[]): Check {
  return {
    name,
    run() {
      const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8' });
      return status === 0 ? [] : [`${stdout}${stderr}`.trim() || `${file} ended with ${status}`];
    },
  };
}

const CHECKS: Check[] = [
  program('format and lint', 'node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings'),
  program('types', 'node_modules/typescript/bin/tsc'),
  program('types of the client', 'node_modules/typescript/bin/tsc', '-p', 'client'),
  program('types of the page', 'node_modules/typescript/bin/tsc', '-p', 'web'),
  { name: 'floors', run: () => checkFloors(readSources()) },
  { name: 'documents', run: checkDocs },
  program('generated files', 'scripts/generate.ts', '--check'),
];

let failures = 0;
for (const { name, run } of CHECKS) {
  const startedAt = performance.now();
  const offences = run();
  const took = styleText('dim', `${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  console.log(`${offences.length === 0 ? styleText('green', '✓') : styleText('red', '✗')} ${name} ${took}`);
  for (const offence of offences) console.log(offence.replace(/^/gm, '    '));
  if (offences.length > 0) failures += 1;
}
process.exit(failures === 0 ? 0 : 1);
