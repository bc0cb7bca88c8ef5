import { type CryptoKey, importSPKI, jwtVerify } from 'jose';
import type { Clock } from '../../src/kernel/clock.ts';

/** A key as a team registers it with Apple; `publicKeyPem` is its SPKI. */
export type TrustedKey = { teamId: string; keyId: string; publicKeyPem: string };

/** Apple's refusals of an `Authorization` header, or undefined when it is good. */
export type Refusal = { status: 400 | 401; text: string };

const BADLY_FORMATTED: Refusal = { status: 400, text: 'Missing or badly formatted authorization token' };
const UNVERIFIED: Refusal = { status: 401, text: 'Unable to verify authorization token' };

/** Knows the teams' keys and checks tokens as Apple does: ES256, a known key id, its team as issuer, an hour at most. */
export function createAuthority(clock: Clock) {
  const known = new Map<string, { teamId: string; key: CryptoKey }>();

  return {
    async trust({ teamId, keyId, publicKeyPem }: TrustedKey): Promise<void> {
      known.set(keyId, { teamId, key: await importSPKI(publicKeyPem, 'ES256') });
    },

    async refusalOf(header: string | undefined): Promise<Refusal | undefined> {
      const [, token] = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(header ?? '') ?? [];
      if (!token) return BADLY_FORMATTED;
      let teamId = '';
      try {
        const { payload } = await jwtVerify(
          token,
          ({ kid }) => {
            const found = known.get(kid ?? '');
            if (!found) throw new Error('unknown key id');
            teamId = found.teamId;
            return found.key;
          },
          { algorithms: ['ES256'], maxTokenAge: '60m', clockTolerance: '30s', currentDate: clock.now() },
        );
        return payload.iss === teamId ? undefined : UNVERIFIED;
      } catch {
        return UNVERIFIED;
      }
    },
  };
}

export type Authority = ReturnType<typeof createAuthority>;
