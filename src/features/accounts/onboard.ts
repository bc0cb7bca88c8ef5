import type { Bits, DeviceCheck, DeviceCheckAnswer } from '../../apple/device-check.ts';
import type { ResultOf } from '../../db/database.ts';
import { LeaseTimeout } from '../../db/lease.ts';
import { Problem } from '../../kernel/errors.ts';
import type { Locale } from '../../kernel/locale.ts';
import type { Context } from '../context.ts';
import { type OpenSessionContext, openSession, type Session } from './session.ts';

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
    return 'session' in bits ? bits : openSessionOf(ctx, await findOrCreateAccount(ctx, input));
  }
  try {
    return await ctx.deviceGrantLease.run(() =>
      onboardWithGrant(ctx, input, { deviceCheck, deviceToken }, existing !== null),
    );
  } catch (error) {
    if (!(error instanceof LeaseTimeout)) throw error;
    return onboardUnverified(ctx, input, existing !== null, 'too many devices are waiting for Apple');
  }
}

async function onboardWithGrant(
  ctx: OpenSessionContext & Pick<Context, 'log' | 'policy'>,
  input: OnboardInput,
  device: Device,
  isKnown: boolean,
): Promise<Onboarded> {
  const bits = await bitsOrFallback(ctx, input, await device.deviceCheck.query(device.deviceToken), isKnown);
  if ('session' in bits) return bits;

  const account = await findOrCreateAccount(ctx, input);
  const balance = await claimGrant(ctx, account, bits, device);
  return openSessionOf(ctx, { ...account, credits_remaining: balance ?? account.credits_remaining });
}

/** Returns the balance after the grant; null if there is no grant, or not yet. */
async function claimGrant(
  ctx: Pick<Context, 'db' | 'log'>,
  account: Account,
  bits: Bits,
  device: Device,
): Promise<number | null> {
  const userId = account.user_id;
  if (account.initial_grant_claimed) return null;
  if (bits.bit0) {
    if (!account.claiming) return null;
    // Apple has recorded a grant. With our value in bit1 it is this account's, interrupted before the credits were added.
    if (bits.bit1 === account.claimed_bit1) return completeGrant(ctx, userId);
    await ctx.db.call('withdraw_initial_grant', { user_id: userId });
    return null;
  }

  const bit1 = await ctx.db.call('claim_initial_grant', { user_id: userId, bit1: bits.bit1 });
  if (bit1 === null) return null;
  const outcome = await device.deviceCheck.setBits(device.deviceToken, { bit0: true, bit1 });
  if (outcome === 'done') return completeGrant(ctx, userId);
  if (outcome === 'bad_token' || outcome.outcome === 'failed') {
    await ctx.db.call('withdraw_initial_grant', { user_id: userId });
  }
  // If the outcome is unknown, the claim stays open, and the next verified call reads the result from Apple.
  ctx.log.warn({ user_id: userId }, 'device grant postponed: Apple did not accept the update');
  return null;
}

function completeGrant(ctx: Pick<Context, 'db'>, userId: string): Promise<number | null> {
  return ctx.db.call('complete_initial_grant', { user_id: userId });
}

async function bitsOrFallback(
  ctx: OpenSessionContext & Pick<Context, 'policy'>,
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
  ctx: OpenSessionContext & Pick<Context, 'policy'>,
  input: OnboardInput,
  isKnown: boolean,
  cause: string,
): Promise<Onboarded> {
  if (isKnown || ctx.policy.deviceCheckFallback === 'deny') {
    throw unverifiable(cause);
  }
  const account = await findOrCreateAccount(ctx, input);
  // Created by another call meanwhile: the device is known, and a device id alone gives no access to an account.
  if (!account.is_new) throw unverifiable(cause);
  return openSessionOf(ctx, account);
}

function unverifiable(cause: string): Problem {
  return new Problem('ERR_5006', { retryAfterSeconds: RETRY_AFTER_SECONDS, cause });
}

function findOrCreateAccount(ctx: Pick<Context, 'db'>, input: OnboardInput): Promise<Account> {
  return ctx.db.call('onboard_device', { device_id: input.deviceId, language: input.language });
}

async function openSessionOf(ctx: OpenSessionContext, account: Account): Promise<Onboarded> {
  return {
    userId: account.user_id,
    creditsRemaining: account.credits_remaining,
    isNew: account.is_new,
    session: await openSession(ctx, account.user_id),
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
