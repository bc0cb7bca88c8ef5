/** Who is answered by a simulator inside this process instead of being called. */
import type { Values } from './variables.ts';

/** True: nobody outside is called for this vendor. */
export type Simulated = {
  fal: boolean;
  runway: boolean;
  pika: boolean;
  deviceCheck: boolean;
  appStore: boolean;
  /** Sign in with Apple: identity tokens, authorisation codes, revocation. */
  appleId: boolean;
  apns: boolean;
};

/** A vendor is simulated in development alone, and only while nothing says how to reach the real one. */
export function simulatedIn(values: Values): Simulated {
  const isOn = (...saysOtherwise: unknown[]) =>
    values.ENVIRONMENT === 'development' && saysOtherwise.every((value) => value === undefined);
  return {
    fal: isOn(values.FALAI_API_KEY),
    runway: isOn(values.RUNWAY_API_KEY),
    pika: isOn(values.PIKA_API_KEY, values.FALAI_API_KEY),
    deviceCheck: isOn(values.APPLE_DEVICECHECK_PRIVATE_KEY),
    appStore: isOn(values.APPLE_PRIVATE_KEY),
    // Identity tokens are checked without a key of ours: naming the place is enough to mean it.
    appleId: isOn(values.APPLE_SIGNIN_PRIVATE_KEY, values.APPLE_ID_URL),
    apns: isOn(values.APPLE_APNS_PRIVATE_KEY),
  };
}
