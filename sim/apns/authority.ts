import { type CryptoKey, exportPKCS8, exportSPKI, generateKeyPair, importSPKI, jwtVerify } from 'jose';
import type { Clock } from '../../src/kernel/clock.ts';

/** What a team needs to send pushes; `privateKeyPem` is PKCS #8. */
export type ApnsCredentials = { teamId: string; keyId: string; privateKeyPem: string };
/** A key as Apple knows it; `publicKeyPem` is its SPKI. */
export type TrustedKey = { teamId: string; keyId: string; publicKeyPem: string };

/** Why Apple refuses a provider token. */
export type TokenRefusal = 'MissingProviderToken' | 'InvalidProviderToken' | 'ExpiredProviderToken';

/** Each process has its own team; its simulator trusts the holder of these credentials. */
export async function newIdentity(): Promise<{ credentials: ApnsCredentials; trusted: TrustedKey }> {
  const names = { teamId: 'SIMULATED0', keyId: 'SIMULATED3' };
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return {
    credentials: { ...names, privateKeyPem: await exportPKCS8(privateKey) },
    trusted: { ...names, publicKeyPem: await exportSPKI(publicKey) },
  };
}

const HOUR_SECONDS = 3_600;
const TOLERANCE_SECONDS = 30;

/** Checks provider tokens as Apple does: ES256, a known key id, its team as issuer, an hour at most. */
export function createAuthority(clock: Clock) {
  const known = new Map<string, { teamId: string; key: CryptoKey }>();

  return {
    async trust({ teamId, keyId, publicKeyPem }: TrustedKey): Promise<void> {
      known.set(keyId, { teamId, key: await importSPKI(publicKeyPem, 'ES256') });
    },
    forget: (keyId: string): boolean => known.delete(keyId),

    async refusalOf(header: string | undefined): Promise<TokenRefusal | undefined> {
      const [, token] = /^bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(header ?? '') ?? [];
      if (!token) return 'MissingProviderToken';
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
          { algorithms: ['ES256'], requiredClaims: ['iat', 'iss'], currentDate: clock.now() },
        );
        const age = clock.now().getTime() / 1000 - (payload.iat ?? 0);
        if (payload.iss !== teamId || age < -TOLERANCE_SECONDS) return 'InvalidProviderToken';
        return age > HOUR_SECONDS ? 'ExpiredProviderToken' : undefined;
      } catch {
        return 'InvalidProviderToken';
      }
    },
  };
}

export type Authority = ReturnType<typeof createAuthority>;
