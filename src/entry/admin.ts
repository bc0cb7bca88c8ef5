/** `npm run admin -- <command>`: the operator's command line, beside a running server or without one. */
import { runAdmin } from './admin/run.ts';
import { runMain } from './run.ts';

await runMain(async () => {
  process.exit(await runAdmin(process.argv.slice(2), process.env));
});
