import { importPKCS8, SignJWT } from 'jose';
import type { Clock } from '../kernel/clock.ts';

/** `privateKey` is the PKCS #8 PEM of an ES256 key that Apple issued to the team as `keyId`. */
export type TeamKey = { teamId: string; keyId: string; privateKey: string };

/** Apple rejects tokens older than an hour and treats a renewal within 20 minutes as abuse: renew between the two. */
const AGE_MAX_MS = 40 * 60_000;

/** Returns the JWT that authenticates the team at Apple, the same one until it is 40 minutes old. */
export function createTeamToken(key: TeamKey, clock: Clock): () => Promise<string> {
  let current: { token: Promise<string>; madeAtMs: number } | undefined;

  async function sign(nowMs: number): Promise<string> {
    return new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: key.keyId })
      .setIssuer(key.teamId)
      .setIssuedAt(Math.floor(nowMs / 1000))
      .sign(await importPKCS8(key.privateKey, 'ES256'));
  }

  return function teamToken() {
    const nowMs = clock.now().getTime();
    const ageMs = current ? nowMs - current.madeAtMs : Number.POSITIVE_INFINITY;
    // If the clock was set back, the token's time is in the future, which Apple rejects too.
    if (current && ageMs >= 0 && ageMs < AGE_MAX_MS) return current.token;
    const made = { token: sign(nowMs), madeAtMs: nowMs };
    made.token.catch(() => {
      if (current === made) current = undefined;
    });
    current = made;
    return made.token;
  };
}
