import { parseArgs, styleText } from 'node:util';
import { type ExplainedBalance, type ExplainedLot, explainBalance as explain } from '../../features/credits/explain.ts';
import { parseUuid } from '../../kernel/ids.ts';
import { type AdminTools, type Command, UsageError } from './command.ts';
import { withDatabase } from './database.ts';

/** Of a lot, on a terminal; `--json` has more. */
const MOVEMENTS_SHOWN = 20;

/** Shows how the balance of an account came to be, and which lot paid for which generation. */
export const explainBalance: Command = {
  name: 'explain-balance',
  usage: '<user> [--json]',
  summary: 'how the balance of an account came to be, and which lot paid for what',
  async run(args, tools) {
    const { id, isJson } = readArguments(args);
    return withDatabase(tools, async ({ db }) => {
      const explained = await explain({ db }, id);
      if (!explained) {
        console.error(`There is no account ${id}.`);
        return 1;
      }
      if (isJson) printJson(explained, tools);
      else printText(explained, id, tools);
      return 0;
    });
  },
};

function readArguments(args: string[]): { id: string; isJson: boolean } {
  try {
    const { values, positionals } = parseArgs({ args, options: { json: { type: 'boolean' } }, allowPositionals: true });
    const [given, ...others] = positionals;
    const id = parseUuid(given);
    if (id !== null && others.length === 0) return { id, isJson: values.json ?? false };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  throw new UsageError('The id of one account is needed.');
}

function printJson({ balance, lots, rules }: ExplainedBalance, { print }: AdminTools): void {
  print(JSON.stringify({ balance, lots, rules }, null, 2));
}

function printText(
  { user_id, balance, ledger, lots, rules }: ExplainedBalance,
  id: string,
  { print }: AdminTools,
): void {
  const dim = (text: string) => styleText('dim', text);
  if (id !== user_id) print(dim(`The guest ${id} was merged into ${user_id}.`));
  print(`${styleText('bold', `Account ${user_id}`)}: a balance of ${balance}\n`);
  print(styleText('bold', 'Ledger'));
  for (const run of ledger) {
    const count = run.rows > 1 ? ` (${run.rows} rows)` : '';
    print(`  ${dim(dayOf(run.from))}  ${signed(run.change).padStart(7)}  ${run.reason}${count} → ${run.balance}`);
  }
  print(`\n${styleText('bold', 'Lots')}`);
  for (const lot of lots) printLot(lot, print, dim);
  print(`\n${styleText('bold', 'Rules')}`);
  for (const { rule, holds } of rules) print(`  ${holds ? 'holds ' : 'BROKEN'}  ${rule}`);
}

function printLot(lot: ExplainedLot, print: AdminTools['print'], dim: (text: string) => string): void {
  const expiry = lot.expires_at ? `, expires ${dayOf(lot.expires_at)}` : '';
  const transaction = lot.transaction_id ? `, transaction ${lot.transaction_id}` : '';
  print(
    `  ${lot.source}: ${lot.remaining} of ${lot.amount} remain${expiry}${transaction} ${dim(`(${lot.lot_id}, ${dayOf(lot.created_at)})`)}`,
  );
  for (const { at, change, job_id } of lot.movements.slice(0, MOVEMENTS_SHOWN)) {
    print(`    ${dim(dayOf(at))}  ${signed(change).padStart(5)}  ${job_id ? `job ${job_id}` : 'no job'}`);
  }
  const hidden = lot.movements.length - MOVEMENTS_SHOWN;
  if (hidden > 0) print(dim(`    and ${hidden} more: --json`));
}

function signed(change: number): string {
  return change > 0 ? `+${change}` : String(change);
}

function dayOf(time: string): string {
  return time.replace('T', ' ').slice(0, 16);
}
