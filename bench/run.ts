/** `npm run bench [latency] [start] [charges]`: measures what Rendio promises, on this machine, and prints tables. */
import { benchCharges } from './charges.ts';
import { benchLatency } from './latency.ts';
import { benchStart } from './start.ts';

const BENCHES: Record<string, () => Promise<void>> = {
  start: benchStart,
  latency: benchLatency,
  charges: benchCharges,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !BENCHES[name]);
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}. There are: ${Object.keys(BENCHES).join(', ')}.`);
  process.exit(1);
}
for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length === 0 || wanted.includes(name)) await bench();
}
// The test harness that some of these borrow would print a summary of no tests.
process.exit(0);
