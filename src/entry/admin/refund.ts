import { parseArgs } from 'node:util';
import { parseUuid } from '../../kernel/ids.ts';
import { type Command, UsageError } from './command.ts';
import { withOwner } from './owner.ts';

/** As the API's. */
const CREDITS_MAX = 10_000;
const REASON_MIN = 3;
const REASON_MAX = 500;

/** Gives an account credits back, each time that it runs; recorded among the actions of administrators, without one's name. */
export const refund: Command = {
  name: 'refund',
  usage: '<user> <credits> --reason <text>',
  summary: 'gives an account credits back, once for each time that it runs',
  async run(args, tools) {
    const { userId, amount, reason } = readArguments(args);
    return withOwner(tools, async ({ call }) => {
      const result = await call('admin_refund_credits', { by: {}, user_id: userId, amount, reason });
      if (result.outcome !== 'done') {
        console.error(
          result.outcome === 'not_found'
            ? `There is no account ${userId}, or it was deleted.`
            : 'So many credits cannot be added.',
        );
        return 1;
      }
      const { new_balance: balance } = result.response as { new_balance: number };
      const given = amount === 1 ? '1 credit was' : `${amount} credits were`;
      tools.print(`${given} given back. The balance of ${userId} is ${balance}.`);
      return 0;
    });
  },
};

function readArguments(args: string[]): { userId: string; amount: number; reason: string } {
  const { values, positionals } = parse(args);
  const [user, credits = '', ...others] = positionals;
  const userId = parseUuid(user);
  const [amount, reason] = [Number(credits), (values.reason ?? '').trim()];
  if (userId === null || others.length > 0) throw new UsageError('The id of one account is needed.');
  if (!/^\d+$/.test(credits) || amount < 1 || amount > CREDITS_MAX) {
    throw new UsageError(`The credits are a whole number from 1 to ${CREDITS_MAX}.`);
  }
  if (reason.length < REASON_MIN || reason.length > REASON_MAX) {
    throw new UsageError(`--reason needs ${REASON_MIN} to ${REASON_MAX} characters.`);
  }
  return { userId, amount, reason };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: { reason: { type: 'string' } }, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
