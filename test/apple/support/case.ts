/** One thing to verify, and what must come of it; as JSON it goes to Deno as well. */
import type { SignedDataKind, VerifierOptions } from '../../../src/apple/app-store/signed-data.ts';

export type Case = {
  name: string;
  kind: SignedDataKind;
  jws: string;
  /** Base64 of DER. */
  roots: string[];
  environment: VerifierOptions['environment'];
  bundleId: string;
  appId: number;
  nowMs: number;
  isOnline: boolean;
  ocspTimeoutMs: number;
  /** `valid`, `unreachable`, or the name of the fault. */
  expected: string;
};

/** A chain without a signature that would go with it: Apple publishes no private key. */
export type ChainCase = {
  name: string;
  x5c: string[];
  roots: string[];
  nowMs: number;
  expected: string;
};

export function optionsOf(given: Case): VerifierOptions {
  const { isOnline, environment, bundleId, appId, ocspTimeoutMs } = given;
  return {
    ...{ isOnline, environment, bundleId, appId, ocspTimeoutMs, fetch },
    roots: given.roots.map((root) => Uint8Array.from(atob(root), (character) => character.charCodeAt(0))),
    clock: { now: () => new Date(given.nowMs) },
  };
}
