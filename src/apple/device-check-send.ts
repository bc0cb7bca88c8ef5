import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { sleep } from '../kernel/sleep.ts';
import { callDeviceCheck } from './device-check-call.ts';
import { type Meaning, meaningOf } from './device-check-reply.ts';
import { createTeamToken, type TeamKey } from './team-token.ts';

export type DeviceCheckOptions = TeamKey & {
  /** May have a path, which is kept. */
  baseUrl: string;
  fetch: typeof fetch;
  clock: Clock;
  log: Log;
  /** For a request and its retry together, because a user is waiting. Default 4000. */
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

/** Sends operations to DeviceCheck, with one retry where it may help: queries and updates are both safe to repeat. */
export function createSend(options: DeviceCheckOptions): (operation: Operation) => Promise<Outcome> {
  const { fetch, clock, log, timeoutMs = 4000 } = options;
  const base = options.baseUrl.replace(/\/+$/, '');
  const teamToken = createTeamToken(options, clock);

  async function tryOnce({ path, ...operation }: Operation, signal: AbortSignal): Promise<Meaning> {
    const call = { url: `${base}/v1/${path}`, ...operation, teamToken: await teamToken() };
    return meaningOf(await callDeviceCheck(call, { fetch, clock, signal }));
  }

  async function sendWithRetry(signal: AbortSignal, operation: Operation): Promise<Outcome> {
    let perhapsApplied = false;
    for (let tried = 1; ; tried += 1) {
      const meaning = await tryOnce(operation, signal);
      logFailure(log, operation, meaning);
      const retryAfterMs = 'retryAfterMs' in meaning ? meaning.retryAfterMs : null;
      if (retryAfterMs === null || tried === TRIES) return { meaning, perhapsApplied };
      perhapsApplied ||= meaning.means === 'unclear';
      await sleep(retryAfterMs, signal);
      if (signal.aborted) return { meaning, perhapsApplied };
    }
  }

  return async function send(operation) {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new Error('no answer in time')), timeoutMs);
    return sendWithRetry(timeout.signal, operation).finally(() => clearTimeout(timer));
  };
}
