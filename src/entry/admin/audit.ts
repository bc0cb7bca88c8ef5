import { parseArgs } from 'node:util';
import { readSnapshot } from '../../db/snapshot.ts';
import { type AuditReport, audit as auditMoney } from '../../features/maintenance/audit.ts';
import { type AdminTools, type Command, UsageError } from './command.ts';
import { withDatabase } from './database.ts';

const SHOWN_DEFAULT = 20;
const SHOWN_MAX = 10_000;

/** Checks every rule of the money over the whole database; exit code 1 if one is broken. */
export const audit: Command = {
  name: 'audit',
  usage: '[--show N]',
  summary: `checks every rule of the money over the whole database; explains N violations of each (${SHOWN_DEFAULT})`,
  async run(args, tools) {
    const shownMax = readShown(args);
    return withDatabase(tools, async ({ directUrl }) => {
      const began = performance.now();
      const report = await readSnapshot(directUrl, (snapshot) =>
        auditMoney(snapshot, {
          shownMax,
          onStep: ({ done, total, title }) => tools.progress(`audit ${Math.round((done / total) * 100)} %: ${title}`),
        }),
      );
      printReport(report, (performance.now() - began) / 1_000, tools);
      return report.broken.length > 0 ? 1 : 0;
    });
  },
};

function readShown(args: string[]): number {
  try {
    const { values } = parseArgs({ args, options: { show: { type: 'string' } } });
    const shown = Number(values.show ?? SHOWN_DEFAULT);
    if (Number.isInteger(shown) && shown > 0 && shown <= SHOWN_MAX) return shown;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  throw new UsageError(`--show takes a number from 1 to ${SHOWN_MAX}.`);
}

function printReport({ rules, rows, broken }: AuditReport, seconds: number, { print }: AdminTools): void {
  for (const { rule, total, shown } of broken) {
    print(`BROKEN: ${rule} (${total})`);
    for (const sentence of shown) print(`  ${sentence}`);
    if (total > shown.length) print(`  and ${total - shown.length} more`);
  }
  const verdict = broken.length === 0 ? 'all rules hold' : `${broken.length} of them broken`;
  print(`${rules} rules over ${rows} rows in ${seconds.toFixed(1)} s: ${verdict}`);
}
