import { styleText } from 'node:util';
import { createProgress } from '../progress.ts';
import { type AdminTools, type Command, UsageError } from './command.ts';
import { COMMANDS } from './commands.ts';

const HELP = new Set(['--help', '-h', 'help']);

/** Runs one command and returns its exit code: 2 for a command line that cannot be understood, with the usage on standard error. */
export async function runAdmin(words: string[], env: AdminTools['env']): Promise<number> {
  const [name = '', ...args] = words;
  const command = COMMANDS.find((each) => each.name === name);
  if (HELP.has(name) || (command && args.some((arg) => arg === '--help' || arg === '-h'))) {
    console.log(command ? usageOf([command]) : usageOf(COMMANDS));
    return 0;
  }
  if (!command) {
    console.error(`${name === '' ? 'A command is missing.' : `There is no command ${name}.`}\n\n${usageOf(COMMANDS)}`);
    return 2;
  }
  const progress = createProgress(process.stderr);
  try {
    return await command.run(args, { env, print: (line) => console.log(line), progress: progress.show });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${usageOf([command])}`);
    return 2;
  } finally {
    progress.clear();
  }
}

function usageOf(commands: Command[]): string {
  const lines = commands.map(
    ({ name, usage, summary }) => [`npm run admin -- ${name} ${usage}`.trimEnd(), summary] as const,
  );
  const width = Math.max(...lines.map(([call]) => call.length));
  return ['Usage:', ...lines.map(([call, summary]) => `  ${call.padEnd(width)}  ${styleText('dim', summary)}`)].join(
    '\n',
  );
}
