import { parseUuid } from '../../kernel/ids.ts';
import {
  createSignedTokens,
  RefusedToken,
  type SignedTokenOptions,
  type TokenFault,
} from '../../kernel/signed-tokens.ts';
import type { AdminClaims, AdminTokens } from '../context.ts';

/** No user's token has it, and no route for users accepts it. */
const AUDIENCE = 'rendio-admin';

/** Signs and verifies the access tokens of administrators. They carry nothing but ids; each call reads the session. */
export function createAdminTokens(options: Omit<SignedTokenOptions, 'audience'>): AdminTokens {
  const signed = createSignedTokens({ ...options, audience: AUDIENCE });
  return {
    sign: ({ adminUserId, sessionId }, expiresAt) =>
      signed.sign(adminUserId, { session_id: sessionId }, Math.floor(expiresAt.getTime() / 1000)),

    async verify(token): Promise<AdminClaims | TokenFault> {
      try {
        const payload = await signed.verify(token);
        const [adminUserId, sessionId] = [parseUuid(payload.sub), parseUuid(payload.session_id)];
        return adminUserId === null || sessionId === null ? 'invalid' : { adminUserId, sessionId };
      } catch (error) {
        if (error instanceof RefusedToken) return error.fault;
        throw error;
      }
    },
  };
}
