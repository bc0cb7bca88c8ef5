/** From a JWS to a transaction or a notification that can be believed, or to the reason why it cannot. */
import type { Clock } from '../../kernel/clock.ts';
import { environmentNamed } from './claims.ts';
import { readNotification, readTransaction } from './payloads.ts';
import type { AppStoreEnvironment, AppStoreNotification, AppStoreTransaction, Verified } from './port.ts';
import { readUnverified } from './read-jws.ts';
import type { Decoded, SignedDataKind, SignedDataVerifier } from './signed-data.ts';

export type VerifyOptions = {
  /** The verifier of an environment; null where its data cannot be judged. */
  verifierOf(environment: AppStoreEnvironment): Promise<SignedDataVerifier | null>;
  clock: Clock;
};

export type Verify = {
  /** `environment`: the only one in which it may have been made; null: either. */
  transaction(jws: string, environment: AppStoreEnvironment | null): Promise<Verified<AppStoreTransaction>>;
  notification(jws: string): Promise<Verified<AppStoreNotification>>;
};

/** Clocks differ. A date that is much later would outdate everything that Apple decides until then. */
const AHEAD_MAX_MS = 7 * 86_400_000;

/** `unusable`: Apple has signed it for this app, but what a purchase needs is missing or wrong. */
type Read = Verified<AppStoreTransaction> | { outcome: 'unusable'; cause: string };

export function createVerify({ verifierOf, clock }: VerifyOptions): Verify {
  async function decode(kind: SignedDataKind, jws: string, required: AppStoreEnvironment | null) {
    const read = readUnverified(jws);
    if ('fault' in read) return { decoded: invalid(read.fault), environment: null };
    // What names neither environment is refused by either verifier.
    const environment = required ?? environmentNamed(kind, read.payload) ?? 'Production';
    const verifier = await verifierOf(environment);
    const decoded = verifier ? await verifier.decode(kind, jws) : invalid('no app id is configured');
    return { decoded, environment };
  }

  function ifNotAhead<T extends { signedAt: Date }>(value: T): Verified<T> {
    const aheadMs = value.signedAt.getTime() - clock.now().getTime();
    return aheadMs > AHEAD_MAX_MS ? invalid('signed in the future') : { outcome: 'valid', value };
  }

  async function read(jws: string, required: AppStoreEnvironment | null): Promise<Read> {
    const { decoded } = await decode('transaction', jws, required);
    if (decoded.outcome !== 'valid') return decoded;
    const found = readTransaction(decoded.payload);
    return 'faulty' in found
      ? { outcome: 'unusable', cause: `missing or wrong: ${found.faulty}` }
      : ifNotAhead(found.value);
  }

  return {
    async transaction(jws, required) {
      const found = await read(jws, required);
      return found.outcome === 'unusable' ? invalid(found.cause) : found;
    },

    async notification(jws) {
      const { decoded, environment } = await decode('notification', jws, null);
      if (decoded.outcome !== 'valid' || environment === null) return asFailure(decoded);
      const found = readNotification(decoded.payload, environment);
      if ('faulty' in found) return invalid(`missing or wrong: ${found.faulty}`);
      const { signedTransaction, ...value } = found.value;
      if (signedTransaction === null) return ifNotAhead({ ...value, transaction: null, unusable: null });
      const inner = await read(signedTransaction, environment);
      if (inner.outcome === 'valid') return ifNotAhead({ ...value, transaction: inner.value, unusable: null });
      if (inner.outcome === 'unusable') return ifNotAhead({ ...value, transaction: null, unusable: inner.cause });
      return { outcome: inner.outcome, cause: `its transaction: ${inner.cause}` };
    },
  };
}

type Failure = { outcome: 'invalid' | 'unreachable'; cause: string };

function invalid(cause: string): { outcome: 'invalid'; cause: string } {
  return { outcome: 'invalid', cause };
}

function asFailure(decoded: Decoded | Failure): Failure {
  return decoded.outcome === 'valid' ? invalid('FAILURE') : decoded;
}
