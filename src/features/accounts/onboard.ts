import type { Bits, DeviceCheck, DeviceCheckAnswer } from '../../apple/device-check.ts';
import type { ResultOf } from '../../db/database.ts';
import { type HeldLease, LeaseTimeout } from '../../db/lease.ts';
import { Problem } from '../../kernel/errors.ts';
import type { Locale } from '../../kernel/locale.ts';
import type { Context } from '../context.ts';
import { redeemInitialGrant } from './initial-grant.ts';
import { type OpenSessionContext, openDeviceSession, type Session } from './session.ts';

export type OnboardInput = { deviceId: string; deviceToken: string | null; language: Locale };
export type Onboarded = { userId: string; creditsRemaining: number; isNew: boolean; session: Session };

type OnboardContext = OpenSessionContext & Pick<Context, 'deviceCheck' | 'deviceGrantLease' | 'log' | 'policy'>;

/** A device with a DeviceCheck token. */
type Device = { deviceCheck: DeviceCheck; deviceToken: string };

type Account = ResultOf<'onboard_device'>;

/** Apple's outages do not end within seconds, so clients need not retry sooner. */
const RETRY_AFTER_SECONDS = 10;

/**
 * Onboards a device: opens a session each time, and grants the initial credits once per physical device. Apple has no
 * compare-and-set for a device's bits, so devices that may still get the grant are onboarded one at a time.
 */
export async function onboardDevice(ctx: OnboardContext, input: OnboardInput): Promise<Onboarded> {
  const existing = await findByDevice(ctx, input.deviceId);
  if (existing?.banned) throw new Problem('ERR_4013');
  if (!ctx.deviceCheck) throw new Problem('ERR_4017', { details: { feature: 'device-check' } });
  const { deviceCheck } = ctx;
  if (input.deviceToken === null) return onboardUnverified(ctx, input, existing !== null, 'no device token was sent');
  const { deviceToken } = input;

  if (existing?.initial_grant_claimed || ctx.policy.initialGrantCredits === 0) {
    const answer = await deviceCheck.query(deviceToken);
    const bits = await bitsOrFallback(ctx, input, answer, existing !== null);
    if ('session' in bits) return bits;
    if (existing) refuseOtherDevice(existing, bits);
    return openSessionOf(ctx, input, await findOrCreateAccount(ctx, input, true));
  }
  try {
    const granted = await ctx.deviceGrantLease.run((held) =>
      grantDevice(ctx, held, input, { deviceCheck, deviceToken }, existing !== null),
    );
    // Without the lease, so that the next device need not wait for it.
    return 'session' in granted ? granted : openSessionOf(ctx, input, granted);
  } catch (error) {
    if (!(error instanceof LeaseTimeout)) throw error;
    return onboardUnverified(ctx, input, existing !== null, 'too many devices are waiting for Apple');
  }
}

async function grantDevice(
  ctx: OpenSessionContext & Pick<Context, 'log' | 'policy'>,
  held: HeldLease,
  input: OnboardInput,
  device: Device,
  isKnown: boolean,
): Promise<Account | Onboarded> {
  const bits = await bitsOrFallback(ctx, input, await device.deviceCheck.query(device.deviceToken), isKnown);
  if ('session' in bits) return bits;

  const account = await findOrCreateAccount(ctx, input, true);
  // Another call may have granted it since it was looked up.
  refuseOtherDevice(account, bits);
  const balance = await redeemInitialGrant(ctx, held, account, { ...device, bits });
  return { ...account, credits_remaining: balance ?? account.credits_remaining };
}

/**
 * Throws ERR_4010 for a device that cannot be the account's: its first bit was never set, and the account has had a device's
 * grant. A device id alone is no proof, because it is known to backups, logs and support.
 */
function refuseOtherDevice(account: Pick<Account, 'initial_grant_claimed'>, { bit0 }: Bits): void {
  if (account.initial_grant_claimed && !bit0) throw new Problem('ERR_4010');
}

async function bitsOrFallback(
  ctx: OpenSessionContext & Pick<Context, 'log' | 'policy'>,
  input: OnboardInput,
  answer: DeviceCheckAnswer,
  isKnown: boolean,
): Promise<Bits | Onboarded> {
  if (answer.state === 'bad_token') throw new Problem('ERR_4010');
  if (answer.state === 'unavailable') return onboardUnverified(ctx, input, isKnown, answer.cause);
  return answer;
}

/** Onboards a device that Apple has not verified: a new one, without credits, if the policy allows. Else throws ERR_5006. */
async function onboardUnverified(
  ctx: OpenSessionContext & Pick<Context, 'log' | 'policy'>,
  input: OnboardInput,
  isKnown: boolean,
  cause: string,
): Promise<Onboarded> {
  if (isKnown || ctx.policy.deviceCheckFallback === 'deny') {
    throw unverifiable(cause);
  }
  const account = await findOrCreateAccount(ctx, input, false);
  // Created by another call meanwhile: the device is known, and a device id alone gives no access to an account.
  if (!account.is_new) throw unverifiable(cause);
  return openSessionOf(ctx, input, account);
}

function unverifiable(cause: string): Problem {
  return new Problem('ERR_5006', { retryAfterSeconds: RETRY_AFTER_SECONDS, cause });
}

/** `isProven`: Apple has verified the device. */
function findOrCreateAccount(ctx: Pick<Context, 'db'>, input: OnboardInput, isProven: boolean): Promise<Account> {
  const { deviceId, language } = input;
  return ctx.db.call('onboard_device', { device_id: deviceId, language, is_proven: isProven });
}

async function openSessionOf(
  ctx: OpenSessionContext & Pick<Context, 'log'>,
  input: OnboardInput,
  account: Account,
): Promise<Onboarded> {
  const session = await openDeviceSession(ctx, account.user_id, input.deviceId);
  // While Apple was asked, the account was banned, or became one that a device does not open: the next call sees which.
  if (session === null) throw unverifiable('the account has changed meanwhile');
  ctx.log.info(
    { event: 'user_onboarded', user_id: account.user_id, is_new: account.is_new, credits: account.credits_remaining },
    'a device was onboarded',
  );
  return {
    userId: account.user_id,
    creditsRemaining: account.credits_remaining,
    isNew: account.is_new,
    session,
  };
}

async function findByDevice(ctx: Pick<Context, 'db'>, deviceId: string) {
  const row = await ctx.db.read
    .selectFrom('users')
    .leftJoin('user_bans', 'user_bans.user_id', 'users.id')
    .select(['users.initial_grant_claimed', 'user_bans.created_at as banned_at'])
    .where('users.device_id', '=', deviceId)
    .where('users.apple_sub', 'is', null)
    .where('users.deleted_at', 'is', null)
    .executeTakeFirst();
  return row ? { initial_grant_claimed: row.initial_grant_claimed, banned: row.banned_at !== null } : null;
}
