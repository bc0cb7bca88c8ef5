/** The error log of a process: a bounded buffer in front of the table, so that no request waits for it. */
import { isDatabaseOutage } from '../../db/outage.ts';
import { errorLabel } from '../../kernel/error-code.ts';
import type { ErrorLog, FailedRequest } from '../../kernel/error-log.ts';
import type { Context } from '../context.ts';

/** A few hundred bytes each: half a megabyte while the database is away. */
const WAITING_MAX = 1_000;
/** In one statement. */
const BATCH = 100;
/** Failures come together: what happens within this time is stored together. */
const DELAY_MS = 500;
/** While the database is away. */
const RETRY_MS = 5_000;
/** Of equal failures, by code and endpoint, each minute. More rows say nothing new; their number does. */
const EQUAL_PER_MINUTE_MAX = 50;
const MINUTE_MS = 60_000;

type Entry = {
  entry_id: string;
  user_id: string | null;
  error_code: string;
  endpoint: string;
  request_data: object | null;
  error_details: object;
  created_at: string;
};

type Minute = { number: number; counts: Map<string, { first: FailedRequest; count: number }> };

export function createErrorLog(ctx: Pick<Context, 'clock' | 'db' | 'log' | 'newUuid' | 'stopping'>): ErrorLog {
  const waiting: Entry[] = [];
  let minute: Minute = { number: 0, counts: new Map() };
  let dropped = 0;
  const storeSoon = createTimer(() => void store());
  const closeSoon = createTimer(() => {
    closeMinute(0);
    storeSoon.start(0);
  });
  let storing: Promise<boolean> | undefined;

  function push(entry: Omit<Entry, 'entry_id' | 'created_at'>): void {
    if (waiting.length >= WAITING_MAX) dropped += 1;
    else waiting.push({ entry_id: ctx.newUuid(), ...entry, created_at: ctx.clock.now().toISOString() });
  }

  /** One row for each kind of failure of which the minute that is over had more than are stored. */
  function closeMinute(number: number): void {
    for (const { first, count } of minute.counts.values()) {
      const more = count - EQUAL_PER_MINUTE_MAX;
      const { code, endpoint } = first;
      const details = { more, minute: new Date(minute.number * MINUTE_MS).toISOString() };
      if (more > 0) push({ user_id: null, error_code: code, endpoint, request_data: null, error_details: details });
    }
    minute = { number, counts: new Map() };
  }

  /** One run at a time. Resolves with whether nothing is left. */
  function store(): Promise<boolean> {
    storing ??= storeBatches(waiting, ctx).finally(() => {
      storing = undefined;
      if (dropped > 0) ctx.log.warn({ dropped }, 'failed requests were not recorded');
      dropped = 0;
      if (waiting.length > 0) storeSoon.start(RETRY_MS);
    });
    return storing;
  }

  const errorLog: ErrorLog = {
    add(failure) {
      const number = Math.floor(ctx.clock.now().getTime() / MINUTE_MS);
      if (number !== minute.number) closeMinute(number);
      const key = `${failure.code} ${failure.endpoint}`;
      const equal = minute.counts.get(key) ?? { first: failure, count: 0 };
      equal.count += 1;
      minute.counts.set(key, equal);
      if (equal.count <= EQUAL_PER_MINUTE_MAX) push(entryOf(failure));
      else closeSoon.start(MINUTE_MS);
      storeSoon.start(DELAY_MS);
    },
    async drain() {
      await storing;
      closeMinute(0);
      await store();
      storeSoon.stop();
      closeSoon.stop();
    },
  };
  // An edge function may not get to close what it has opened.
  ctx.stopping.addEventListener('abort', () => void errorLog.drain());
  return errorLog;
}

type Timer = { start(ms: number): void; stop(): void };

/** Runs the work once after each start that finds it not started. Keeps no process running: a shutdown stores what is left. */
function createTimer(work: () => void): Timer {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = () => {
    timer = undefined;
    work();
  };
  return {
    start(ms) {
      timer ??= setTimeout(run, ms);
      // Only Node's own timers have it.
      Object(timer).unref?.();
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

function entryOf({ code, status, method, endpoint, userId, requestId, causes }: FailedRequest) {
  const error_details = { request_id: requestId, status, causes };
  return { user_id: userId, error_code: code, endpoint, request_data: { method }, error_details };
}

/** Stores entries from the front, until none is left or the database is away. What it refuses is dropped: it would refuse it again. */
async function storeBatches(waiting: Entry[], { db, log }: Pick<Context, 'db' | 'log'>): Promise<boolean> {
  while (waiting.length > 0) {
    const batch = waiting.slice(0, BATCH);
    try {
      await db.call('log_errors', { entries: batch });
    } catch (error) {
      if (isDatabaseOutage(error)) return false;
      log.warn({ code: errorLabel(error), dropped: batch.length }, 'failed requests could not be recorded');
    }
    waiting.splice(0, batch.length);
  }
  return true;
}
