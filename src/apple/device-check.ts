import { createAsk, type DeviceCheckOptions, type Operation, report } from './device-check-ask.ts';
import { bitsIn, confirms } from './device-check-reply.ts';

export type Bits = { bit0: boolean; bit1: boolean };

/** `unavailable`: Apple could not be asked, which says nothing about the device; `cause` is for our log alone. */
export type DeviceCheckAnswer =
  | ({ state: 'known' } & Bits)
  | { state: 'bad_token' }
  | { state: 'unavailable'; cause: string };

/** `failed`: certainly not set. `unknown`: perhaps set; setting the same bits again is safe. */
export type SetBitsOutcome = 'done' | 'bad_token' | { outcome: 'failed' | 'unknown'; cause: string };

/** Apple's two bits per device. Whatever Apple does is an outcome, and comes within the configured time. */
export type DeviceCheck = {
  /** A device whose bits were never set is known, with both of them false. */
  query(deviceToken: string): Promise<DeviceCheckAnswer>;
  setBits(deviceToken: string, bits: Bits): Promise<SetBitsOutcome>;
};

/** Standard or URL-safe base64, at most 8 KB (Apple's are about 2 KB). Anything else is not worth a question. */
const DEVICE_TOKEN = /^[A-Za-z0-9+/_-]{1,8190}={0,2}$/;

/** A door to DeviceCheck at `baseUrl`, opened with the team's key. */
export function createDeviceCheck(options: DeviceCheckOptions): DeviceCheck {
  const ask = createAsk(options);

  function unusable(operation: Operation): string {
    const cause = 'answered 200 with something else';
    report(options.log, operation, { means: 'unclear', cause, againAfterMs: null });
    return cause;
  }

  return {
    async query(deviceToken) {
      if (!DEVICE_TOKEN.test(deviceToken)) return { state: 'bad_token' };
      const operation: Operation = { path: 'query_two_bits', deviceToken, fields: {} };
      const { meaning } = await ask(operation);
      if (meaning.means === 'bad_token') return { state: 'bad_token' };
      if (meaning.means !== 'accepted') return { state: 'unavailable', cause: meaning.cause };
      const bits = bitsIn(meaning.text);
      return bits ? { state: 'known', ...bits } : { state: 'unavailable', cause: unusable(operation) };
    },

    async setBits(deviceToken, { bit0, bit1 }) {
      if (!DEVICE_TOKEN.test(deviceToken)) return 'bad_token';
      const operation: Operation = { path: 'update_two_bits', deviceToken, fields: { bit0, bit1 } };
      const { meaning, perhapsApplied } = await ask(operation);
      if (meaning.means === 'accepted') {
        return confirms(meaning.text) ? 'done' : { outcome: 'unknown', cause: unusable(operation) };
      }
      // A token may have been used up by a first try that was carried out and not answered.
      const cause = meaning.means === 'bad_token' ? 'token refused at the second try' : meaning.cause;
      if (perhapsApplied || meaning.means === 'unclear') return { outcome: 'unknown', cause };
      return meaning.means === 'bad_token' ? 'bad_token' : { outcome: 'failed', cause };
    },
  };
}
