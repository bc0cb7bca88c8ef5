import { Problem } from '../../kernel/errors.ts';
import type { Context } from '../context.ts';
import { eraseAccount } from './delete-account.ts';

const RETRY_AFTER_SECONDS = 60;

/**
 * Does what one of Apple's notifications about an account says, once: a person who withdraws their consent loses their sessions,
 * one who deletes their Apple account loses the account here. Throws ERR_4005 (401) for what Apple has not signed, ERR_5006 (503)
 * if its keys cannot be had, ERR_4017 (501) if no app is configured.
 */
export async function receiveAppleNotification(
  ctx: Pick<Context, 'appleIdentity' | 'db' | 'log'>,
  payload: string,
): Promise<void> {
  if (!ctx.appleIdentity) throw new Problem('ERR_4017', { details: { feature: 'sign-in-with-apple' } });
  const answer = await ctx.appleIdentity.verifyNotification(payload);
  if (answer.state === 'unavailable')
    throw new Problem('ERR_5006', { retryAfterSeconds: RETRY_AFTER_SECONDS, cause: answer.cause });
  if (answer.state === 'refused') {
    ctx.log.warn({ cause: answer.cause }, 'an account notification was refused');
    throw new Problem('ERR_4005', { details: { reason: 'signature' } });
  }
  const { id, type, sub, at, email, isPrivateEmail } = answer.notification;
  const result = await ctx.db.call('record_apple_notification', {
    notification_id: id,
    type,
    // Empty: no account has it.
    apple_sub: sub ?? '',
    event_at: at,
    email,
    is_private_email: isPrivateEmail,
  });
  ctx.log.info({ type, outcome: result.outcome }, 'an account notification was received');
  if (result.deleted_id) await eraseAccount(ctx, result.deleted_id);
}
