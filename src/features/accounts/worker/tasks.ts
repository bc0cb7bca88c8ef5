/** The worker's tasks for accounts that were deleted. Every handler may run twice. */
import { z } from 'zod';
import type { Tasks } from '../../../queue/worker.ts';
import type { Context } from '../../context.ts';
import { eraseAccount } from '../delete-account.ts';
import { revokeAppleToken } from './revoke-apple-token.ts';

const AccountPayload = z.object({ user_id: z.uuid() });
const RevocationPayload = z.object({ id: z.uuid() });

export function accountTasks(
  ctx: Pick<Context, 'appleSignIn' | 'appleTokenSealer' | 'db' | 'log' | 'raiseAlert'>,
): Tasks {
  return {
    erase_account: async (payload) => {
      await eraseAccount(ctx, AccountPayload.parse(payload).user_id);
    },
    revoke_apple_token: (payload) => revokeAppleToken(ctx, RevocationPayload.parse(payload).id),
  };
}
