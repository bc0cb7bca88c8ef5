/** `npm run doctor`: tries what the environment names, and says what to do about what does not work. */
import { runDoctor } from './doctor/run.ts';
import { runMain } from './run.ts';

await runMain(async () => {
  const code = await runDoctor(process.argv.slice(2), {
    env: process.env,
    print: (text) => console.log(text),
    printError: (text) => console.error(text),
  });
  // Not before all that was printed has left: a pipe may be slow.
  process.stdout.write('', () => process.exit(code));
});
