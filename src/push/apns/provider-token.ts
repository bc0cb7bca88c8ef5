import { importPKCS8, SignJWT } from 'jose';
import type { Clock } from '../../kernel/clock.ts';

/** `privateKey` is the PKCS #8 PEM of an ES256 key for APNs that Apple issued to the team as `keyId`. */
export type ApnsKey = { teamId: string; keyId: string; privateKey: string };

export type ProviderToken = {
  /** The JWT that authenticates the team, the same one until it is 50 minutes old. */
  current(): Promise<string>;
  /** Makes a new one in place of `refused`, at most once in 20 minutes. Returns whether `current` is another one now. */
  renew(refused: string): Promise<boolean>;
};

/** Apple refuses tokens older than an hour, and a change within 20 minutes. */
const AGE_MAX_SECONDS = 50 * 60;
const RENEWALS_APART_SECONDS = 20 * 60;
/** A token is dated to the last half hour, so it is used for 20 to 50 minutes: processes, and those that restart, date theirs alike. */
const DATED_TO_SECONDS = 30 * 60;

export function createProviderToken({ teamId, keyId, privateKey }: ApnsKey, clock: Clock): ProviderToken {
  let made: { token: Promise<string>; iat: number } | undefined;
  let renewedAt = Number.NEGATIVE_INFINITY;
  const nowSeconds = () => Math.floor(clock.now().getTime() / 1000);

  async function sign(iat: number): Promise<string> {
    return new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: keyId })
      .setIssuer(teamId)
      .setIssuedAt(iat)
      .sign(await importPKCS8(privateKey, 'ES256'));
  }

  function make(iat: number): Promise<string> {
    const next = { token: sign(iat), iat };
    next.token.catch(() => {
      if (made === next) made = undefined;
    });
    made = next;
    return next.token;
  }

  function current(): Promise<string> {
    const now = nowSeconds();
    const age = made ? now - made.iat : Number.POSITIVE_INFINITY;
    // A clock that was set back makes it a token of the future, which Apple refuses too.
    if (made && age >= 0 && age < AGE_MAX_SECONDS) return made.token;
    return make(now - (now % DATED_TO_SECONDS));
  }

  return {
    current,
    async renew(refused) {
      if ((await current()) !== refused) return true;
      const now = nowSeconds();
      if (Math.abs(now - renewedAt) < RENEWALS_APART_SECONDS) return false;
      renewedAt = now;
      await make(now);
      return true;
    },
  };
}
