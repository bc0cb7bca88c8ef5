/** What a payload says about whom it is for. */
import type { AppStoreEnvironment } from './port.ts';
import type { SignedDataKind } from './signed-data.ts';

export type Claims = { bundleId: unknown; appId: unknown; environment: unknown };

/** Of the containers of a notification the first one counts. */
const CONTAINERS = ['data', 'summary', 'externalPurchaseToken', 'appData'];

export function claimsOf(kind: SignedDataKind, payload: object): Claims {
  if (kind === 'transaction') return claimsIn(payload);
  const name = CONTAINERS.find((container) => memberOf(payload, container));
  if (name === undefined) return claimsIn({});
  const container = memberOf(payload, name);
  const claims = claimsIn(container);
  if (name !== 'externalPurchaseToken') return claims;
  // It names no environment, but its id shows it.
  const id = memberOf(container, 'externalPurchaseId');
  return { ...claims, environment: typeof id === 'string' && id.startsWith('SANDBOX') ? 'Sandbox' : 'Production' };
}

/** For the choice of the verifier, which compares it once more after the signature. Null for every other one, and for none. */
export function environmentNamed(kind: SignedDataKind, payload: object): AppStoreEnvironment | null {
  const { environment } = claimsOf(kind, payload);
  return environment === 'Production' || environment === 'Sandbox' ? environment : null;
}

/** Only a member of its own, and of an object. */
export function memberOf(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null && Object.hasOwn(holder, name)
    ? Reflect.get(holder, name)
    : undefined;
}

function claimsIn(holder: unknown): Claims {
  return {
    bundleId: memberOf(holder, 'bundleId'),
    appId: memberOf(holder, 'appAppleId'),
    environment: memberOf(holder, 'environment'),
  };
}
