import { bitsIn, confirms } from './device-check-reply.ts';
import { createSend, type DeviceCheckOptions, logFailure, type Operation } from './device-check-send.ts';

export type Bits = { bit0: boolean; bit1: boolean };

/** `unavailable`: the request to Apple failed, which says nothing about the device. `cause` is for the log only. */
export type DeviceCheckAnswer =
  | ({ state: 'known' } & Bits)
  | { state: 'bad_token' }
  | { state: 'unavailable'; cause: string };

/** `failed`: the bits are not set. `unknown`: they may be set; setting the same bits again is safe. */
export type SetBitsOutcome = 'done' | 'bad_token' | { outcome: 'failed' | 'unknown'; cause: string };

/** Apple's two bits per device. Nothing throws: every failure is a result, and it comes within the configured time. */
export type DeviceCheck = {
  /** A device whose bits were never set is `known`, with both bits false. */
  query(deviceToken: string): Promise<DeviceCheckAnswer>;
  setBits(deviceToken: string, bits: Bits): Promise<SetBitsOutcome>;
};

/** Standard or URL-safe base64, at most 8 KB (Apple's are about 2 KB). Other tokens are rejected without a request. */
const DEVICE_TOKEN = /^[A-Za-z0-9+/_-]{1,8190}={0,2}$/;

/** A client for DeviceCheck at `baseUrl`, with the team's key. */
export function createDeviceCheck(options: DeviceCheckOptions): DeviceCheck {
  const send = createSend(options);

  function logUnusable(operation: Operation): string {
    const cause = 'answered 200 with an unexpected body';
    logFailure(options.log, operation, { means: 'unclear', cause, retryAfterMs: null });
    return cause;
  }

  return {
    async query(deviceToken) {
      if (!DEVICE_TOKEN.test(deviceToken)) return { state: 'bad_token' };
      const operation: Operation = { path: 'query_two_bits', deviceToken, fields: {} };
      const { meaning } = await send(operation);
      if (meaning.means === 'bad_token') return { state: 'bad_token' };
      if (meaning.means !== 'accepted') return { state: 'unavailable', cause: meaning.cause };
      const bits = bitsIn(meaning.text);
      return bits ? { state: 'known', ...bits } : { state: 'unavailable', cause: logUnusable(operation) };
    },

    async setBits(deviceToken, { bit0, bit1 }) {
      if (!DEVICE_TOKEN.test(deviceToken)) return 'bad_token';
      const operation: Operation = { path: 'update_two_bits', deviceToken, fields: { bit0, bit1 } };
      const { meaning, perhapsApplied } = await send(operation);
      if (meaning.means === 'accepted') {
        return confirms(meaning.text) ? 'done' : { outcome: 'unknown', cause: logUnusable(operation) };
      }
      // A first try that was applied but not answered may have used up the token.
      const cause = meaning.means === 'bad_token' ? 'token refused at the second try' : meaning.cause;
      if (perhapsApplied || meaning.means === 'unclear') return { outcome: 'unknown', cause };
      return meaning.means === 'bad_token' ? 'bad_token' : { outcome: 'failed', cause };
    },
  };
}
