/** `npm run bench [-- start latency auth audit charges storage page webhook statements upkeep neighbour]`: measures what is promised; exit code 1 if a promise is broken. */
import { availableParallelism } from 'node:os';
import { audit } from './audit.ts';
import { auth } from './auth.ts';
import { charges } from './charges.ts';
import { latency } from './latency.ts';
import { neighbour } from './neighbour.ts';
import { page } from './page.ts';
import { type Bench, report } from './report.ts';
import { start } from './start.ts';
import { statements } from './statements.ts';
import { storage } from './storage.ts';
import { upkeep } from './upkeep.ts';
import { webhook } from './webhook.ts';

const BENCHES: Record<string, Bench> = {
  start,
  latency,
  auth,
  audit,
  charges,
  storage,
  page,
  webhook,
  statements,
  upkeep,
  neighbour,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}. There are: ${Object.keys(BENCHES).join(', ')}.`);
  process.exit(2);
}

console.log(`Node ${process.versions.node} on ${availableParallelism()} cores. Nothing else should be running.`);
let broken = 0;
for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  broken += report(name, await bench());
}
process.exitCode = broken > 0 ? 1 : 0;
