import type { AppStore, AppStoreEnvironment, AppStoreFailure } from '../../../apple/app-store/port.ts';
import type { Context } from '../../context.ts';
import { creditTransaction } from '../credit.ts';
import { recordNotification } from '../notification.ts';
import { whyDisqualified } from '../qualify.ts';
import { reportRefusedKey } from '../refused-key.ts';

export type HealContext = Pick<Context, 'appStore' | 'clock' | 'db' | 'log' | 'metrics' | 'policy'>;
/** `notifications`, `transactions`: how many were seen; `recorded`, `credited`: how many of them were new. */
export type Healed = { notifications: number; recorded: number; transactions: number; credited: number };

const DAY_MS = 86_400_000;
/** Apple repeats a notification for five days. What is older than a week was seen by an earlier run. */
export const HEAL_DAYS = 7;
const PAGE_WAIT_MS = 30_000;
/** Accounts in one read. */
const ACCOUNTS = 100;

/**
 * Walks the App Store's history of notifications, and of the transactions of everybody who has bought in that time, for what never
 * arrived here, and processes it as if it had. Throws while Apple cannot be asked. Safe to repeat.
 */
export async function healPurchases(ctx: HealContext, days: number, signal: AbortSignal): Promise<Healed> {
  const healed: Healed = { notifications: 0, recorded: 0, transactions: 0, credited: 0 };
  const { appStore } = ctx;
  if (!appStore) return healed;
  const from = new Date(ctx.clock.now().getTime() - days * DAY_MS);
  for (const environment of environmentsOf(ctx)) {
    const walk = { ctx, appStore, environment, healed, signal };
    if (await isBeforeRelease(walk, from)) continue;
    await healNotifications(walk, from);
    await healTransactions(walk, from);
  }
  ctx.log.info({ event: 'purchases_healed', ...healed }, 'the history of the App Store was compared with what arrived');
  return healed;
}

type Walk = {
  ctx: HealContext;
  appStore: AppStore;
  environment: AppStoreEnvironment;
  healed: Healed;
  signal: AbortSignal;
};

function environmentsOf({ policy }: Pick<Context, 'policy'>): AppStoreEnvironment[] {
  return policy.sandboxPurchases === 'grant' ? ['Production', 'Sandbox'] : ['Production'];
}

/** Until an app's first release, Apple's production refuses every key; there is nothing to heal then. */
async function isBeforeRelease({ ctx, appStore, environment, signal }: Walk, from: Date): Promise<boolean> {
  if (environment === 'Sandbox') return false;
  const bought = await ctx.db.read
    .selectFrom('purchases')
    .select('id')
    .where('store', '=', 'apple')
    .where('environment', '=', environment)
    .limit(1)
    .executeTakeFirst();
  if (bought) return false;
  const input = { environment, from, until: ctx.clock.now(), pageToken: null };
  const { outcome } = await appStore.notificationHistory(input, pageSignal(signal));
  if (outcome === 'refused')
    ctx.log.info({}, 'the App Store’s production refuses the key, as it does until the app’s first release');
  return outcome === 'refused';
}

async function healNotifications({ ctx, appStore, environment, healed, signal }: Walk, from: Date): Promise<void> {
  const until = ctx.clock.now();
  let pageToken: string | null = null;
  do {
    const answer: Answered<'notificationHistory'> = await appStore.notificationHistory(
      { environment, from, until, pageToken },
      pageSignal(signal),
    );
    const page = await usable(answer, ctx);
    for (const signedPayload of page.signedPayloads) {
      healed.notifications += 1;
      const verified = await appStore.verifyNotification(signedPayload);
      if (verified.outcome === 'unreachable') throw new Error(`no verdict on a notification: ${verified.cause}`);
      if (verified.outcome === 'invalid') {
        ctx.log.warn({ cause: verified.cause }, 'a notification in the history of the App Store is not for this app');
      } else if (await recordNotification(ctx, verified.value, signedPayload)) healed.recorded += 1;
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== null);
}

/** Asks with one known purchase of each account: Apple answers with all of the customer's. */
async function healTransactions(walk: Walk, from: Date): Promise<void> {
  const { ctx, environment, signal } = walk;
  let after: string | null = null;
  for (;;) {
    signal.throwIfAborted();
    const known = await ctx.db.read
      .selectFrom('purchases')
      .select(({ fn }) => ['user_id', fn.max('transaction_id').as('transaction_id')])
      .where('store', '=', 'apple')
      .where('environment', '=', environment)
      .where('created_at', '>', from)
      .where('user_id', 'is not', null)
      .$if(after !== null, (purchases) => purchases.where('user_id', '>', after))
      .groupBy('user_id')
      .orderBy('user_id')
      .limit(ACCOUNTS)
      .execute();
    for (const { transaction_id } of known) await healCustomer(walk, transaction_id);
    after = known.at(-1)?.user_id ?? null;
    if (known.length < ACCOUNTS) return;
  }
}

async function healCustomer(
  { ctx, appStore, environment, healed, signal }: Walk,
  transactionId: string,
): Promise<void> {
  let revision: string | null = null;
  do {
    const answer: Answered<'transactionHistory'> = await appStore.transactionHistory(
      { environment, transactionId, revision },
      pageSignal(signal),
    );
    if (answer.outcome === 'unknown') return;
    const page = await usable(answer, ctx);
    for (const signedTransaction of page.signedTransactions) {
      healed.transactions += 1;
      const verified = await appStore.verifyTransaction(signedTransaction);
      if (verified.outcome !== 'valid' || whyDisqualified(verified.value, ctx.policy)) continue;
      const { outcome } = await creditTransaction(ctx, verified.value, { callerId: null });
      if (outcome === 'credited') healed.credited += 1;
    }
    revision = page.nextRevision;
  } while (revision !== null);
}

const pageSignal = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(PAGE_WAIT_MS)]);

type Answered<Call extends 'notificationHistory' | 'transactionHistory'> = Awaited<ReturnType<AppStore[Call]>>;

/** A page; throws while Apple gives none, so that the queue tries again. */
async function usable<Page extends { outcome: 'page' }>(
  answer: Page | AppStoreFailure,
  ctx: Pick<Context, 'db' | 'log'>,
): Promise<Page> {
  if (answer.outcome === 'page') return answer;
  if (answer.outcome === 'refused') await reportRefusedKey(ctx, 'apple', answer.cause);
  throw new Error(`the history of the App Store cannot be read: ${answer.cause}`);
}
