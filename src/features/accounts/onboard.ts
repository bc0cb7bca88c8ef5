import type { Bits, DeviceCheck, DeviceCheckAnswer } from '../../apple/device-check.ts';
import type { ResultOf } from '../../db/database.ts';
import { LeaseTimeout } from '../../db/lease.ts';
import { Problem } from '../../kernel/errors.ts';
import type { Locale } from '../../kernel/locale.ts';
import type { Context } from '../context.ts';
import { openSession, type Session, type SessionContext } from './session.ts';

export type OnboardInput = { deviceId: string; deviceToken: string | null; language: Locale };
export type Onboarded = { userId: string; creditsRemaining: number; isNew: boolean; session: Session };

type OnboardContext = SessionContext & Pick<Context, 'deviceCheck' | 'deviceGrantLease' | 'log' | 'policy'>;

/** A device that Apple can be asked about. */
type Device = { deviceCheck: DeviceCheck; deviceToken: string };

type Account = ResultOf<'onboard_device'>;

/** Apple's outages are short or long, never seconds; a phone need not ask more often. */
const RETRY_AFTER_SECONDS = 10;

/**
 * Lets a device in: a session always, credits once in the life of the physical device. Apple knows no compare-and-set on
 * a device's bits, so whoever may still be granted goes through one at a time.
 */
export async function onboardDevice(ctx: OnboardContext, input: OnboardInput): Promise<Onboarded> {
  const known = await findByDevice(ctx, input.deviceId);
  if (known?.banned) throw new Problem('ERR_4013');
  if (!ctx.deviceCheck) throw new Problem('ERR_4017', { details: { feature: 'device-check' } });
  const { deviceCheck } = ctx;
  if (input.deviceToken === null) return onboardUnverified(ctx, input, known !== null, 'no device token was sent');
  const { deviceToken } = input;

  if (known?.initial_grant_claimed || ctx.policy.initialGrantCredits === 0) {
    const answer = await deviceCheck.query(deviceToken);
    const bits = await bitsOrFallback(ctx, input, answer, known !== null);
    return 'session' in bits ? bits : letIn(ctx, await openAccount(ctx, input));
  }
  try {
    return await ctx.deviceGrantLease.run(() =>
      onboardWithGrant(ctx, input, { deviceCheck, deviceToken }, known !== null),
    );
  } catch (error) {
    if (!(error instanceof LeaseTimeout)) throw error;
    return onboardUnverified(ctx, input, known !== null, 'too many devices are waiting for Apple');
  }
}

async function onboardWithGrant(
  ctx: SessionContext & Pick<Context, 'log' | 'policy'>,
  input: OnboardInput,
  device: Device,
  isKnown: boolean,
): Promise<Onboarded> {
  const bits = await bitsOrFallback(ctx, input, await device.deviceCheck.query(device.deviceToken), isKnown);
  if ('session' in bits) return bits;

  const account = await openAccount(ctx, input);
  const balance = await takeGrant(ctx, account, bits, device);
  return letIn(ctx, { ...account, credits_remaining: balance ?? account.credits_remaining });
}

/** The balance after the grant; null where there is none to take, or not yet. */
async function takeGrant(
  ctx: Pick<Context, 'db' | 'log'>,
  account: Account,
  bits: Bits,
  device: Device,
): Promise<number | null> {
  const userId = account.user_id;
  if (account.initial_grant_claimed) return null;
  if (bits.bit0) {
    if (!account.claiming) return null;
    // Apple has the grant on record. Ours, cut off before the credits were written? Then it carries our second bit.
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
  // Unknown: the claim stays, and the next verified call reads at Apple what became of it.
  ctx.log.warn({ user_id: userId }, 'the device grant is put off: Apple did not take the update');
  return null;
}

function completeGrant(ctx: Pick<Context, 'db'>, userId: string): Promise<number | null> {
  return ctx.db.call('complete_initial_grant', { user_id: userId });
}

async function bitsOrFallback(
  ctx: SessionContext & Pick<Context, 'policy'>,
  input: OnboardInput,
  answer: DeviceCheckAnswer,
  isKnown: boolean,
): Promise<Bits | Onboarded> {
  if (answer.state === 'bad_token') throw new Problem('ERR_4010');
  if (answer.state === 'unavailable') return onboardUnverified(ctx, input, isKnown, answer.cause);
  return answer;
}

/** Nobody vouches for the device: a known one gets nothing, a new one an account without credits, if the policy allows. */
async function onboardUnverified(
  ctx: SessionContext & Pick<Context, 'policy'>,
  input: OnboardInput,
  isKnown: boolean,
  cause: string,
): Promise<Onboarded> {
  if (isKnown || ctx.policy.deviceCheckFallback === 'deny') {
    throw unverifiable(cause);
  }
  const account = await openAccount(ctx, input);
  // Made by another call since we looked: known, then, and a device id alone opens nothing.
  if (!account.is_new) throw unverifiable(cause);
  return letIn(ctx, account);
}

function unverifiable(cause: string): Problem {
  return new Problem('ERR_6004', { retryAfterSeconds: RETRY_AFTER_SECONDS, cause });
}

function openAccount(ctx: Pick<Context, 'db'>, input: OnboardInput): Promise<Account> {
  return ctx.db.call('onboard_device', { device_id: input.deviceId, language: input.language });
}

async function letIn(ctx: SessionContext, account: Account): Promise<Onboarded> {
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
