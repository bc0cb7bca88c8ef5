/** `npm run admin -- <command>`: the operator's command line, beside a running server or without one. */
import { runAdmin } from './admin/run.ts';
import { runMain } from './run.ts';

await runMain(async () => {
  const code = await runAdmin(process.argv.slice(2), process.env);
  // Not before all that was printed has left: a pipe may be slow.
  process.stdout.write('', () => process.exit(code));
});
