import { errorLabel } from '../../kernel/error-code.ts';
import type { Tasks } from '../../queue/worker.ts';
import { withApplication } from './application.ts';
import { type AdminTools, type Command, UsageError } from './command.ts';

/** Runs an upkeep task now, as the worker does when its time comes. */
export const maintenance: Command = {
  name: 'maintenance',
  usage: '<name>|all',
  summary: 'runs an upkeep task of the worker now, or all of them',
  async run(args, tools) {
    // The whole application: other commands start without it.
    const { allTasks, CRONTAB } = await import('../../app/tasks.ts');
    const wanted = readNames(args, namesIn(CRONTAB));
    return withApplication(tools, async ({ running, stopping }) => {
      const failed = await runTasks(wanted, allTasks(running.ctx), stopping.signal, tools);
      return failed > 0 ? 1 : 0;
    });
  },
};

/** The task is the sixth word of a line. */
function namesIn(crontab: string): string[] {
  return [...new Set(crontab.split('\n').map((line) => line.trim().split(/\s+/)[5] ?? ''))].sort();
}

function readNames([name, ...others]: string[], names: string[]): string[] {
  const wanted = names.filter((each) => name === 'all' || each === name);
  if (wanted.length > 0 && others.length === 0) return wanted;
  throw new UsageError(`The name of one task is needed: ${['all', ...names].join(', ')}.`);
}

/** One after the other; a failure leaves the next ones their turn. Returns how many failed. */
async function runTasks(names: string[], tasks: Tasks, signal: AbortSignal, tools: AdminTools): Promise<number> {
  let failed = 0;
  for (const name of names) {
    tools.progress(name);
    const began = performance.now();
    const problem = await tasks[name]?.({}, { signal, attempt: 1 }).then(() => null, errorLabel);
    const seconds = (performance.now() - began) / 1_000;
    tools.print(`${name}: ${problem ?? 'done'} (${seconds.toFixed(1)} s)`);
    if (problem) failed += 1;
  }
  return failed;
}
