import type { AppStoreTransaction } from '../../../apple/app-store/port.ts';
import type { Policy } from '../../context.ts';
import type { NotificationContext } from '../notification.ts';
import { reportRefusedKey } from '../refused-key.ts';

type RefundPreference = Policy['refundPreference'];

/** Shares are in thousandths of a percent. */
const WHOLE = 100_000;
const APPLE_WAIT_MS = 30_000;

/**
 * Tells Apple which share of a purchase has been spent, if users have consented to that. Throws while Apple cannot be reached, so
 * that the queue tries again.
 */
export async function answerConsumptionRequest(
  ctx: NotificationContext,
  { environment, transactionId }: AppStoreTransaction,
): Promise<string> {
  const { appStore, policy } = ctx;
  if (!policy.consumptionConsent || !appStore) return 'no_consent';
  const purchase = await ctx.db.call('purchase_consumption', { store: 'apple', transaction_id: transactionId });
  const consumptionPercentage = purchase ? Math.floor((purchase.consumed * WHOLE) / purchase.credits) : 0;
  const answer = await appStore.sendConsumption(
    {
      environment,
      transactionId,
      deliveryStatus: purchase ? 'DELIVERED' : 'UNDELIVERED_SERVER_OUTAGE',
      // The first credits are free, so everybody has tried the app before.
      sampleContentProvided: policy.initialGrantCredits > 0,
      consumptionPercentage,
      refundPreference: preferenceFor(policy.refundPreference, consumptionPercentage),
    },
    AbortSignal.timeout(APPLE_WAIT_MS),
  );
  switch (answer.outcome) {
    case 'sent':
      return 'consumption_sent';
    case 'declined':
      ctx.log.warn({ cause: answer.cause }, 'the App Store declined an answer to its consumption request');
      return 'consumption_declined';
    case 'refused':
      await reportRefusedKey(ctx, 'apple', answer.cause);
      throw new Error(`the App Store refuses the key: ${answer.cause}`);
    case 'unreachable':
      throw new Error(`the App Store was not told about a consumption: ${answer.cause}`);
  }
}

/** Apple takes `GRANT_PRORATED` only where a part has been consumed. */
function preferenceFor(preference: RefundPreference, percentage: number): RefundPreference {
  return preference === 'GRANT_PRORATED' && (percentage === 0 || percentage === WHOLE) ? null : preference;
}
