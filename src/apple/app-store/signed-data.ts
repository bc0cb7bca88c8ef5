/** What decides whether Apple has signed something for this app. Node and Deno have an implementation each. */
import type { Clock } from '../../kernel/clock.ts';
import type { AppStoreEnvironment } from './port.ts';

export type SignedDataKind = 'transaction' | 'notification';

/** The names are those of Apple's library. */
export type SignedDataFault =
  | 'VERIFICATION_FAILURE'
  | 'INVALID_APP_IDENTIFIER'
  | 'INVALID_ENVIRONMENT'
  | 'INVALID_CERTIFICATE'
  | 'FAILURE';

/** `unreachable`: Apple's certificates could not be checked online. */
export type Decoded =
  | { outcome: 'valid'; payload: unknown }
  | { outcome: 'invalid'; cause: SignedDataFault }
  | { outcome: 'unreachable'; cause: string };

export type SignedDataVerifier = {
  /** Decodes a JWS whose chain ends at one of the roots, for this app and this environment. Never throws. */
  decode(kind: SignedDataKind, jws: string): Promise<Decoded>;
};

export type VerifierOptions = {
  /** In DER. */
  roots: readonly Uint8Array[];
  /** Certificates are checked by OCSP, and their dates at the present time; else their dates at the signed date. */
  isOnline: boolean;
  environment: AppStoreEnvironment;
  bundleId: string;
  /** Notifications of production have to name it. */
  appId: number;
  /** For the online checks of a chain. */
  ocspTimeoutMs: number;
  fetch: typeof fetch;
  clock: Clock;
};

/** Throws if a root is no certificate. */
export type CreateVerifier = (options: VerifierOptions) => Promise<SignedDataVerifier>;
