import { importPKCS8, SignJWT } from 'jose';
import type { Clock } from '../../kernel/clock.ts';

/** `privateKey` is the PKCS #8 PEM of the In-App Purchase key that Apple issued as `keyId`. */
export type AppStoreKey = { keyId: string; issuerId: string; privateKey: string };

const AUDIENCE = 'appstoreconnect-v1';
/** Apple refuses a token from the future, be it by one second. */
const BACKDATED_SECONDS = 60;
/** From the issue on: for one request, and much less than the hour that Apple allows. */
const LIFE_SECONDS = 300;

/** Signs the token that authenticates one request to the App Store Server API. */
export async function signApiToken(key: AppStoreKey, bundleId: string, clock: Clock): Promise<string> {
  const issuedAt = Math.floor(clock.now().getTime() / 1000) - BACKDATED_SECONDS;
  return new SignJWT({ bid: bundleId })
    .setProtectedHeader({ alg: 'ES256', kid: key.keyId, typ: 'JWT' })
    .setIssuer(key.issuerId)
    .setAudience(AUDIENCE)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + LIFE_SECONDS)
    .sign(await importPKCS8(key.privateKey, 'ES256'));
}
