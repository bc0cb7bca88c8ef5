import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { sleep } from '../kernel/sleep.ts';
import { callDeviceCheck } from './device-check-call.ts';
import { type Meaning, meaningOf } from './device-check-reply.ts';
import { createTeamToken, type TeamKey } from './team-token.ts';

export type DeviceCheckOptions = TeamKey & {
  /** May have a path of its own, which is kept. */
  baseUrl: string;
  fetch: typeof fetch;
  clock: Clock;
  log: Log;
  /** For a question with its second try: somebody waits for the answer. Default 4000. */
  timeoutMs?: number;
};

export type Operation = {
  path: 'query_two_bits' | 'update_two_bits';
  deviceToken: string;
  fields: Record<string, boolean>;
};

/** What came of an operation; `perhapsApplied` when an earlier try may have been carried out. */
export type Outcome = { meaning: Meaning; perhapsApplied: boolean };

const TRIES = 2;

/** Tells the operator what Apple did not answer. Never names a device or a token. */
export function report(log: Log, { path }: Operation, meaning: Meaning): void {
  if (meaning.means !== 'refused' && meaning.means !== 'unclear') return;
  const fields = { operation: path, cause: meaning.cause };
  if (meaning.means === 'refused' && meaning.isOurFault) log.error(fields, 'DeviceCheck refuses what this server asks');
  else log.warn(fields, 'DeviceCheck gave no usable answer');
}

/** Asks DeviceCheck, twice where that is worth it: questions and updates alike are safe to repeat. */
export function createAsk(options: DeviceCheckOptions): (operation: Operation) => Promise<Outcome> {
  const { fetch, clock, log, timeoutMs = 4000 } = options;
  const base = options.baseUrl.replace(/\/+$/, '');
  const teamToken = createTeamToken(options, clock);

  async function tryOnce({ path, ...operation }: Operation, signal: AbortSignal): Promise<Meaning> {
    const call = { url: `${base}/v1/${path}`, ...operation, teamToken: await teamToken() };
    return meaningOf(await callDeviceCheck(call, { fetch, clock, signal }));
  }

  async function within(signal: AbortSignal, operation: Operation): Promise<Outcome> {
    let perhapsApplied = false;
    for (let tried = 1; ; tried += 1) {
      const meaning = await tryOnce(operation, signal);
      report(log, operation, meaning);
      const againAfterMs = 'againAfterMs' in meaning ? meaning.againAfterMs : null;
      if (againAfterMs === null || tried === TRIES) return { meaning, perhapsApplied };
      perhapsApplied ||= meaning.means === 'unclear';
      await sleep(againAfterMs, signal);
      if (signal.aborted) return { meaning, perhapsApplied };
    }
  }

  return async function ask(operation) {
    const timeIsUp = new AbortController();
    const timer = setTimeout(() => timeIsUp.abort(new Error('no answer in time')), timeoutMs);
    return within(timeIsUp.signal, operation).finally(() => clearTimeout(timer));
  };
}
