import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { sleep } from '../kernel/sleep.ts';
import { callDeviceCheck } from './device-check-call.ts';
import { type Meaning, meaningOf } from './device-check-reply.ts';
import { createTeamToken, type TeamKey } from './team-token.ts';

export type DeviceCheckOptions = TeamKey & {
  /** May have a path, which is kept. */
  baseUrl: string;
  /** Apple's other host: it is asked about what the first one refuses to know. Builds from Xcode and TestFlight use different ones. */
  otherBaseUrl?: string | undefined;
  fetch: typeof fetch;
  clock: Clock;
  log: Log;
  /** Called when Apple refuses our own key, at every host that was asked. */
  onRefusedKey?: () => void;
  /** For all requests of an operation together, because a user is waiting. Default 4000. */
  timeoutMs?: number;
};

export type Operation = {
  path: 'query_two_bits' | 'update_two_bits';
  deviceToken: string;
  fields: Record<string, boolean>;
};

/** The result of an operation. `perhapsApplied`: Apple may have applied an earlier try. */
export type Outcome = { meaning: Meaning; perhapsApplied: boolean };

const TRIES = 2;

/** Logs a request that failed. Never logs a device or a token. */
export function logFailure(log: Log, { path }: Operation, meaning: Meaning): void {
  if (meaning.means !== 'refused' && meaning.means !== 'unclear') return;
  const fields = { operation: path, cause: meaning.cause };
  if (meaning.means === 'refused' && meaning.isOurFault) log.error(fields, 'DeviceCheck request rejected');
  else log.warn(fields, 'DeviceCheck request failed');
}

/** Whether the request may be meant for Apple's other host. The development host has also refused keys that the other one takes. */
function isForAnotherHost(meaning: Meaning): boolean {
  return meaning.means === 'bad_token' || (meaning.means === 'refused' && meaning.isOurFault);
}

/** Sends operations to DeviceCheck, with one retry where it may help: queries and updates are both safe to repeat. */
export function createSend(options: DeviceCheckOptions): (operation: Operation) => Promise<Outcome> {
  const { fetch, clock, log, otherBaseUrl, timeoutMs = 4000 } = options;
  const teamToken = createTeamToken(options, clock);

  async function tryOnce(baseUrl: string, { path, ...operation }: Operation, signal: AbortSignal): Promise<Meaning> {
    const call = { url: `${baseUrl.replace(/\/+$/, '')}/v1/${path}`, ...operation, teamToken: await teamToken() };
    return meaningOf(await callDeviceCheck(call, { fetch, clock, signal }));
  }

  async function sendWithRetry(baseUrl: string, operation: Operation, signal: AbortSignal): Promise<Outcome> {
    let perhapsApplied = false;
    for (let tried = 1; ; tried += 1) {
      const meaning = await tryOnce(baseUrl, operation, signal);
      logFailure(log, operation, meaning);
      const retryAfterMs = 'retryAfterMs' in meaning ? meaning.retryAfterMs : null;
      if (retryAfterMs === null || tried === TRIES) return { meaning, perhapsApplied };
      perhapsApplied ||= meaning.means === 'unclear';
      await sleep(retryAfterMs, signal);
      if (signal.aborted) return { meaning, perhapsApplied };
    }
  }

  async function sendToHosts(operation: Operation, signal: AbortSignal): Promise<Outcome> {
    const first = await sendWithRetry(options.baseUrl, operation, signal);
    if (otherBaseUrl === undefined || first.perhapsApplied || !isForAnotherHost(first.meaning)) return first;
    const other = await sendWithRetry(otherBaseUrl, operation, signal);
    // Only both hosts together know that a token is no device's: one that refuses our key has said nothing about it.
    return other.meaning.means === 'bad_token' ? first : other;
  }

  return async function send(operation) {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new Error('no answer in time')), timeoutMs);
    const outcome = await sendToHosts(operation, timeout.signal).finally(() => clearTimeout(timer));
    if (outcome.meaning.means === 'refused' && outcome.meaning.isOurFault) options.onRefusedKey?.();
    return outcome;
  };
}
