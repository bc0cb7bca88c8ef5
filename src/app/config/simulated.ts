/** Which vendors are answered by a simulator inside this process instead of being called. */
import type { ProviderManifest } from '../../providers/manifest.ts';
import type { ProviderName } from '../../providers/provider.ts';
import { lacksCredentials } from './providers.ts';
import { publicAddress } from './strength.ts';
import type { Values } from './variables.ts';

/** True: the vendor is simulated, and no request to it leaves this process. */
export type Simulated = {
  [provider: ProviderName]: boolean;
  deviceCheck: boolean;
  appStore: boolean;
  /** Sign in with Apple: identity tokens, authorisation codes, revocation. */
  appleId: boolean;
  apns: boolean;
};

/** A vendor is simulated in development alone, and only while nothing says how to reach the real one. */
export function simulatedIn(values: Values, manifests: readonly ProviderManifest[]): Simulated {
  const isDevelopment = values.ENVIRONMENT === 'development';
  const isOn = (...saysOtherwise: unknown[]) => isDevelopment && saysOtherwise.every((value) => value === undefined);
  const providers = manifests
    .filter(({ simulator }) => simulator !== null)
    .map((manifest) => [manifest.name, isDevelopment && lacksCredentials(manifest, values.providers)]);
  return {
    ...Object.fromEntries(providers),
    deviceCheck: isOn(values.APPLE_DEVICECHECK_PRIVATE_KEY),
    appStore: isOn(values.APPLE_PRIVATE_KEY) && !givesCreditsAway(values, manifests),
    // Identity tokens are checked without a key of ours: setting the URL is enough to mean the real one.
    appleId: isOn(values.APPLE_SIGNIN_PRIVATE_KEY, values.APPLE_ID_URL),
    apns: isOn(values.APPLE_APNS_PRIVATE_KEY),
  };
}

/** Credits of a simulated App Store cost nothing: not where anybody can get them and a vendor is paid for what they buy. */
function givesCreditsAway(values: Values, manifests: readonly ProviderManifest[]): boolean {
  const isPaid = manifests.some(
    (manifest) => manifest.simulator !== null && !lacksCredentials(manifest, values.providers),
  );
  const { PUBLIC_URL, HOST } = values;
  return (
    isPaid &&
    values.ALLOW_PUBLIC_DEVELOPMENT !== 'yes' &&
    publicAddress({ ...(PUBLIC_URL && { PUBLIC_URL }), ...(HOST && { HOST }) }) !== undefined
  );
}
