import { withApplication } from './application.ts';
import { type Command, UsageError } from './command.ts';

/** As far back as Apple keeps its history. */
const DAYS_MAX = 180;

/** Compares the App Store's history with what has arrived, and has what is missing processed. */
export const healPurchases: Command = {
  name: 'heal-purchases',
  usage: '[--days N]',
  summary: 'finds purchases and refunds of the App Store that never arrived; by default of the last 7 days',
  async run(args, tools) {
    const { HEAL_DAYS, healPurchases: heal } = await import('../../features/purchases/worker/heal.ts');
    const days = readDays(args) ?? HEAL_DAYS;
    return withApplication(tools, async ({ running, stopping }) => {
      if (!running.ctx.appStore) {
        console.error('The App Store is not configured: set APPLE_PRIVATE_KEY and the variables that belong to it.');
        return 1;
      }
      tools.progress('asking the App Store');
      const { notifications, recorded, transactions, credited } = await heal(running.ctx, days, stopping.signal);
      tools.print(`${notifications} notifications of the last ${days} days, ${recorded} of them new here`);
      tools.print(`${transactions} transactions, ${credited} of them credited now`);
      return 0;
    });
  },
};

function readDays([flag, value, ...others]: string[]): number | null {
  if (flag === undefined) return null;
  const days = Number(value);
  if (flag === '--days' && others.length === 0 && Number.isInteger(days) && days >= 1 && days <= DAYS_MAX) return days;
  throw new UsageError(`--days needs a whole number from 1 to ${DAYS_MAX}.`);
}
