import type { Bits, DeviceCheck } from '../../apple/device-check.ts';
import type { ResultOf } from '../../db/database.ts';
import type { HeldLease } from '../../db/lease.ts';
import type { Context } from '../context.ts';

/** A device whose two bits were just read from Apple. */
export type ReadDevice = { deviceCheck: DeviceCheck; deviceToken: string; bits: Bits };

type Account = Pick<ResultOf<'onboard_device'>, 'user_id' | 'initial_grant_claimed' | 'has_open_claim'>;

/** Without the first bit, a device has had nothing. A claim has marked it, and no credits were added for it. */
const MARKED: Bits = { bit0: true, bit1: true };
/** It has had its grant, or its grant was lost: no credits are added for it any more. */
const GRANTED: Bits = { bit0: true, bit1: false };

/**
 * Redeems a device's grant for an account. Returns the balance after it; null if there is no grant, or not yet. Credits follow
 * only an update from marked to granted that Apple has confirmed, so a device gets them once, whichever claim it finishes.
 */
export async function redeemInitialGrant(
  ctx: Pick<Context, 'log'>,
  held: HeldLease,
  account: Account,
  device: ReadDevice,
): Promise<number | null> {
  if (account.initial_grant_claimed) return null;
  const isMarked = await markDevice(ctx, held, account, device);
  if (!isMarked) return null;
  const outcome = await device.deviceCheck.setBits(device.deviceToken, GRANTED);
  // The claim stays open: a device that is still marked finishes it at its next call.
  if (outcome !== 'done') return postpone(ctx, account, 'finish');
  return held.call('complete_initial_grant', { user_id: account.user_id });
}

/**
 * Whether Apple has just confirmed that the device is marked, with an open claim of the account. Also done for a device that is
 * marked already: while updates have no answer, the second one is not sent, because its loss would be final.
 */
async function markDevice(
  ctx: Pick<Context, 'log'>,
  held: HeldLease,
  account: Account,
  { deviceCheck, deviceToken, bits }: ReadDevice,
): Promise<boolean> {
  // A device that has had its grant is never marked again.
  const isMarkedForIt = bits.bit0 && bits.bit1 && account.has_open_claim;
  if (bits.bit0 && !isMarkedForIt) return false;
  const claim = { user_id: account.user_id };
  if (!(await held.call('claim_initial_grant', claim))) return false;
  const outcome = await deviceCheck.setBits(deviceToken, MARKED);
  if (outcome === 'done') return true;
  // If the outcome is unknown, the claim stays open, and the next verified call reads the result from Apple.
  const isRefused = outcome === 'bad_token' || outcome.outcome === 'failed';
  if (isRefused && !isMarkedForIt) await held.call('withdraw_initial_grant', claim);
  postpone(ctx, account, 'mark');
  return false;
}

function postpone(ctx: Pick<Context, 'log'>, { user_id }: Pick<Account, 'user_id'>, step: 'mark' | 'finish'): null {
  ctx.log.warn({ user_id, step }, 'device grant postponed: Apple did not confirm the update');
  return null;
}
