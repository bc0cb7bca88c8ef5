import type { Clock } from '../../kernel/clock.ts';
import { type RetryTools, systemRetryTools } from '../../kernel/retry.ts';
import { type AppStoreKey, signApiToken } from './api-token.ts';
import { APPLE_ROOT_CA_G3 } from './apple-root-ca-g3.ts';
import type { ApiOptions } from './call.ts';
import { fetchTransaction } from './fetch-transaction.ts';
import { notificationHistory, transactionHistory } from './history.ts';
import type { AppStore, AppStoreEnvironment } from './port.ts';
import { sendConsumption } from './send-consumption.ts';
import type { CreateVerifier, SignedDataVerifier } from './signed-data.ts';
import { createVerify } from './verify.ts';

export type AppStoreOptions = {
  key: AppStoreKey;
  bundleId: string;
  /** The app's number in the App Store. Null: data of production cannot be judged. */
  appId: number | null;
  /** In DER. Null: Apple's own root alone, and certificates are checked online. */
  roots: readonly Uint8Array[] | null;
  urls: { production: string; sandbox: string };
  /** Apple's library where it runs. */
  createVerifier: CreateVerifier;
  fetch: typeof fetch;
  clock: Clock;
  retryTools?: RetryTools;
  /** For the online checks of a chain. */
  ocspTimeoutMs?: number;
};

/** The App Store for one app. Neither Xcode's nor local test data is ever accepted: only that of production and of the sandbox. */
export function createAppStore(options: AppStoreOptions): AppStore {
  const { key, bundleId, fetch, clock, urls } = options;
  const api: ApiOptions = {
    urls: { Production: withoutSlash(urls.production), Sandbox: withoutSlash(urls.sandbox) },
    signToken: () => signApiToken(key, bundleId, clock),
    retryTools: options.retryTools ?? systemRetryTools,
    fetch,
    clock,
  };
  const verify = createVerify({ verifierOf: verifiersOf(options), clock });
  return {
    verifyTransaction: (jws) => verify.transaction(jws, null),
    verifyNotification: (jws) => verify.notification(jws),
    fetchTransaction: (transactionId, signal) => fetchTransaction(transactionId, api, verify, signal),
    sendConsumption: (input, signal) => sendConsumption(input, signal, api),
    notificationHistory: (input, signal) => notificationHistory(input, signal, api),
    transactionHistory: (input, signal) => transactionHistory(input, signal, api),
  };
}

/** One verifier for each environment, made when it is first used: the library takes a while to load. */
function verifiersOf(options: AppStoreOptions) {
  const { bundleId, appId, roots, createVerifier, fetch, clock, ocspTimeoutMs = 6_000 } = options;
  const made = new Map<AppStoreEnvironment, Promise<SignedDataVerifier>>();
  return async (environment: AppStoreEnvironment): Promise<SignedDataVerifier | null> => {
    if (environment === 'Production' && appId === null) return null;
    const present = made.get(environment);
    if (present) return present;
    const verifier = createVerifier({
      roots: roots ?? [APPLE_ROOT_CA_G3],
      isOnline: roots === null,
      ...{ environment, bundleId, ocspTimeoutMs, fetch, clock },
      // In the sandbox it is not compared.
      appId: appId ?? 0,
    });
    made.set(environment, verifier);
    verifier.catch(() => made.delete(environment));
    return verifier;
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
