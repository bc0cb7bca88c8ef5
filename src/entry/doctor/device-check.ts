import type { Meaning } from '../../apple/device-check-reply.ts';
import { createSend } from '../../apple/device-check-send.ts';
import { silentLog } from '../../kernel/log.ts';
import { refusedAppleKey } from './apple-key.ts';
import type { Check, DoctorTools } from './check.ts';
import { type Finding, fine, wrong } from './finding.ts';
import { describeCause, unreachable } from './network.ts';

/** Nonsense: an accepted key is answered that this is no device's token. */
const NO_DEVICE = btoa('no device, but a question of npm run doctor');
const KEY = 'APPLE_DEVICECHECK_PRIVATE_KEY';
const NAMES = { keyId: 'APPLE_DEVICECHECK_KEY_ID', key: KEY, owners: ['APPLE_TEAM_ID'] };
const TRIAL_MS = 8_000;

export const deviceCheck: Check = {
  title: 'DeviceCheck',
  variable: KEY,
  async run(tools) {
    const access = tools.connections.deviceCheck;
    if (!access) return [];
    const urls = [access.baseUrl, ...(access.otherBaseUrl ? [access.otherBaseUrl] : [])];
    const meanings = await Promise.all(urls.map((url) => ask(url, tools)));
    // Apple's development host has refused keys that the other one takes.
    if (meanings.some(isAccepted)) return [fine(KEY, 'is accepted by Apple')];
    const [meaning] = meanings;
    return meaning ? findingsOf(meaning, access.baseUrl) : [];
  },
};

async function ask(baseUrl: string, { connections, fetch, clock }: DoctorTools): Promise<Meaning> {
  const key = connections.deviceCheck?.key;
  if (!key) throw new Error('there is no key');
  const send = createSend({ ...key, baseUrl, fetch, clock, log: silentLog, timeoutMs: TRIAL_MS });
  return (await send({ path: 'query_two_bits', deviceToken: NO_DEVICE, fields: {} })).meaning;
}

function isAccepted(meaning: Meaning): boolean {
  return meaning.means === 'bad_token' || (meaning.means === 'accepted' && !/^\s*</.test(meaning.text ?? '<'));
}

function findingsOf(meaning: Meaning, url: string): Finding[] {
  if (meaning.means === 'bad_token' || meaning.means === 'accepted')
    return [unreachable('APPLE_DEVICECHECK_URL', url, 'it answers with a page')];
  const { cause } = meaning;
  if (/timestamp/i.test(cause)) {
    return [
      wrong('clock', 'of this machine is not Apple’s: DeviceCheck refuses the time of a request', 'Set it by NTP.'),
    ];
  }
  if (/answered (?:401|403)|authorization token/i.test(cause))
    return refusedAppleKey({ ...NAMES, service: 'DeviceCheck', cause });
  return [unreachable('APPLE_DEVICECHECK_URL', url, describeCause(cause))];
}
