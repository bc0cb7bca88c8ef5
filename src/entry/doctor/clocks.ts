/** This machine's clock against those of the servers that have answered. */

import { CLOCK_DIFFERENCE_MAX_MS } from '../../db/try-urls.ts';
import type { Clock } from '../../kernel/clock.ts';
import { type Finding, fine, wrong } from './finding.ts';

export type Clocks = {
  /** `aheadMs`: how far this machine's clock is ahead of `whose`, at least. */
  note(whose: string, aheadMs: number): void;
  findings(): Finding[];
};

/** `Date` has whole seconds: the answer was dated up to a second later. */
const RESOLUTION_MS = 1_000;

export function createClocks(): Clocks {
  const differences = new Map<string, number>();
  return {
    note(whose, aheadMs) {
      const known = differences.get(whose) ?? 0;
      if (Math.abs(aheadMs) >= Math.abs(known)) differences.set(whose, aheadMs);
    },
    findings() {
      const off = [...differences].filter(([, aheadMs]) => Math.abs(aheadMs) > CLOCK_DIFFERENCE_MAX_MS);
      if (off.length > 0) return [differs(off)];
      return differences.size > 0 ? [fine('clock', `agrees with ${[...differences.keys()].join(', ')}`)] : [];
    },
  };
}

function differs(off: [string, number][]): Finding {
  const each = off.map(
    ([whose, ms]) => `${Math.round(Math.abs(ms) / 1000)} s ${ms > 0 ? 'ahead of' : 'behind'} ${whose}`,
  );
  return wrong(
    'clock',
    `of this machine is ${each.join(', ')}`,
    'Set it by NTP (`timedatectl set-ntp true`), and the other one too if it is yours: tokens and signatures are judged by time.',
  );
}

/** Compares the clock with the answer's date, which was set between the request and the answer. */
export function noteDate(clocks: Clocks, response: Response, url: string, sent: Date, received: Date): void {
  // A cache answers with the date of the first answer.
  if (response.headers.has('age')) return;
  const date = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(date)) return;
  const [aheadMs, behindMs] = [sent.getTime() - (date + RESOLUTION_MS), date - received.getTime()];
  clocks.note(new URL(url).host, aheadMs > 0 ? aheadMs : behindMs > 0 ? -behindMs : 0);
}

/** Sends within a time limit, and notes what the answer says about the clock. */
export function createTimedFetch(send: typeof fetch, clock: Clock, clocks: Clocks, timeoutMs: number): typeof fetch {
  return async (input, init) => {
    const limit = AbortSignal.timeout(timeoutMs);
    const signal = init?.signal ? AbortSignal.any([init.signal, limit]) : limit;
    const sent = clock.now();
    const response = await send(input, { ...init, signal });
    noteDate(clocks, response, input instanceof Request ? input.url : String(input), sent, clock.now());
    return response;
  };
}
