import { allTasks, CRONTAB } from '../../app/tasks.ts';
import { errorLabel } from '../../kernel/error-code.ts';
import { boot } from '../boot.ts';
import { type Command, UsageError } from './command.ts';
import { findDatabase } from './database.ts';

/** The upkeep tasks, as the worker's crontab names them. */
const TASKS = [...new Set(CRONTAB.split('\n').map((line) => line.trim().split(/\s+/)[5] ?? ''))].sort();

/** Runs an upkeep task now, as the worker does when its time comes. */
export const maintenance: Command = {
  name: 'maintenance',
  usage: '<name>|all',
  summary: `runs an upkeep task now: ${TASKS.join(', ')}`,
  async run(args, tools) {
    const [name = '', ...others] = args;
    const wanted = TASKS.filter((task) => name === 'all' || task === name);
    if (wanted.length === 0 || others.length > 0) {
      throw new UsageError(`The name of one task is needed: ${['all', ...TASKS].join(', ')}.`);
    }
    const { found } = await findDatabase(tools);
    // Beside a running server: on its database, whatever the environment leaves out.
    const env = { ...tools.env, DATABASE_URL: found.url, DATABASE_DIRECT_URL: found.directUrl };
    try {
      const booted = await boot({ env, canEmbed: false });
      try {
        const tasks = allTasks(booted.running.ctx);
        let failed = 0;
        for (const task of wanted) {
          tools.progress(task);
          const began = performance.now();
          const problem = await tasks[task]?.({}, { signal: booted.stopping.signal, attempt: 1 }).then(
            () => null,
            errorLabel,
          );
          tools.print(`${task}: ${problem ?? 'done'} (${((performance.now() - began) / 1_000).toFixed(1)} s)`);
          if (problem) failed += 1;
        }
        return failed > 0 ? 1 : 0;
      } finally {
        booted.stopping.abort();
        await booted.close();
      }
    } finally {
      await found.close();
    }
  },
};
