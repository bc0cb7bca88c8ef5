import { importSPKI, jwtVerify } from 'jose';
import type { Clock } from '../../src/kernel/clock.ts';
import type { Team } from './identity.ts';

const AUDIENCE = 'appstoreconnect-v1';
/** Tokens that live longer are refused. */
const LIFETIME_SECONDS_MAX = 60 * 60;

/** Checks tokens as Apple does: ES256 with the team's key, its issuer, the audience, this app's bundle, an hour at most. */
export async function createAuthority({ team, bundleId, clock }: { team: Team; bundleId: string; clock: Clock }) {
  const key = await importSPKI(team.publicKeyPem, 'ES256');
  return {
    async accepts(header: string | undefined): Promise<boolean> {
      const [, token] = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(header ?? '') ?? [];
      if (!token) return false;
      const nowSeconds = Math.floor(clock.now().getTime() / 1000);
      try {
        const { payload, protectedHeader } = await jwtVerify(token, key, {
          algorithms: ['ES256'],
          issuer: team.issuerId,
          audience: AUDIENCE,
          requiredClaims: ['iat', 'exp'],
          currentDate: clock.now(),
        });
        const { iat = 0, exp = 0, bid } = payload;
        const isShort = exp - iat <= LIFETIME_SECONDS_MAX && iat <= nowSeconds;
        return protectedHeader.kid === team.keyId && bid === bundleId && isShort;
      } catch {
        return false;
      }
    },
  };
}

export type Authority = Awaited<ReturnType<typeof createAuthority>>;
