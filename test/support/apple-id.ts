/** An Apple of the tests' own for Sign in with Apple: its keys, identity tokens and notifications, and its server. */
import { randomUUID } from 'node:crypto';
import { exportJWK, exportPKCS8, generateKeyPair, SignJWT } from 'jose';
import { createAppleIdentity } from '../../src/apple/identity-token.ts';
import { createAppleSignIn } from '../../src/apple/sign-in.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { systemClock } from '../../src/kernel/clock.ts';

export const BUNDLE_ID = 'com.example.rendio';
export const SERVICE_ID = 'com.example.rendio.web';
export const ISSUER = 'https://appleid.apple.com';
const KEY_ID = 'test-key';

/** Claims that replace the usual ones; undefined leaves one out. */
export type Claims = Record<string, unknown>;

/** A reply of the server in place of its usual one. */
export type Fault = (request: Request) => Response | Promise<Response>;

export type TestApple = {
  fetch: typeof fetch;
  /** What was sent to `/auth/token` and `/auth/revoke`, in order. */
  calls: { path: string; form: URLSearchParams }[];
  /** How often the keys were fetched. */
  keyFetches(): number;
  /** Replaces all replies until it is set to null. */
  setFault(fault: Fault | null): void;
  identityToken(claims?: Claims): Promise<string>;
  /** The form that Apple's server-to-server notifications have. */
  notification(event: Record<string, unknown>, claims?: Claims): Promise<string>;
  /** A key pair that Apple does not have. */
  foreignToken(claims?: Claims, keyId?: string): Promise<string>;
  /** Signs with the right key whatever it is given. */
  sign(payload: Claims, header?: Record<string, unknown>): Promise<string>;
};

export async function createTestApple({ clock = systemClock }: { clock?: Clock } = {}): Promise<TestApple> {
  const [{ privateKey, publicKey }, foreign] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('RS256')]);
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: KEY_ID, use: 'sig', alg: 'RS256' }] };
  const calls: TestApple['calls'] = [];
  let keyFetches = 0;
  let fault: Fault | null = null;
  const seconds = () => Math.floor(clock.now().getTime() / 1000);
  const usual = (claims: Claims) => ({ iss: ISSUER, aud: BUNDLE_ID, iat: seconds(), exp: seconds() + 600, ...claims });
  const sign = (payload: Claims, header: Record<string, unknown> = {}, key = privateKey) =>
    new SignJWT(withoutUndefined(payload)).setProtectedHeader({ alg: 'RS256', kid: KEY_ID, ...header }).sign(key);

  async function answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === '/auth/keys') {
      keyFetches += 1;
      return fault ? fault(request) : Response.json(keys);
    }
    calls.push({ path: pathname, form: new URLSearchParams(await request.clone().text()) });
    if (fault) return fault(request);
    if (pathname === '/auth/revoke') return new Response(null);
    return Response.json({
      access_token: 'a',
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: `r-${randomUUID()}`,
    });
  }

  return {
    fetch: (input, init) => answer(new Request(input, init)),
    calls,
    keyFetches: () => keyFetches,
    setFault: (next) => {
      fault = next;
    },
    identityToken: (claims = {}) =>
      sign(usual({ sub: `001.${randomUUID()}`, nonce_supported: true, c_hash: randomUUID(), ...claims })),
    notification: (event, claims = {}) =>
      sign(
        usual({
          jti: randomUUID(),
          events: JSON.stringify({ event_time: clock.now().getTime(), ...event }),
          ...claims,
        }),
      ),
    foreignToken: (claims = {}, keyId = KEY_ID) =>
      sign(usual({ sub: `001.${randomUUID()}`, ...claims }), { kid: keyId }, foreign.privateKey),
    sign,
  };
}

/** The real adapters in front of this Apple, as parts of a context. */
export async function appleOverrides(apple: TestApple, clock: Clock = systemClock) {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const pem = await exportPKCS8(privateKey);
  const shared = { baseUrl: ISSUER, fetch: apple.fetch, clock };
  return {
    appleIdentity: createAppleIdentity({ ...shared, clientIds: [BUNDLE_ID, SERVICE_ID] }),
    appleSignIn: createAppleSignIn({ ...shared, teamId: 'TEAM000000', keyId: 'KEY0000000', privateKey: pem }),
  };
}

function withoutUndefined(claims: Claims): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}
