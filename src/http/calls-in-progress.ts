/** Bounds how many calls of one caller are in progress, so that a caller with many holds neither sessions nor row locks. */
import type { MiddlewareHandler } from 'hono';
import type { Problem } from '../kernel/errors.ts';
import { createKeyedSlots } from '../kernel/keyed-slots.ts';
import type { HttpContext, HttpEnv } from './env.ts';
import { busy } from './load-shedding.ts';
import { rateLimited } from './rate-limit.ts';

/** Further calls wait here, outside the database. */
const WAITING_MAX = 100;
/** Apps give up a call after 20 to 60 seconds. */
const WAIT_MS = 15_000;
/** A call takes milliseconds: the line is shorter by then. */
const RETRY_AFTER_SECONDS = 1;

export type CallsInProgressOptions = {
  max: number;
  waitingMax?: number;
  waitMs?: number;
  /** What is thrown for a call that finds no slot. */
  refusal?: () => Error;
};

/**
 * Middleware for calls with the same key, of which `max` run at a time. Responds with ERR_4004 (429) to those for which the line is
 * too long. A response that is streamed counts until its stream begins.
 */
export function callsInProgress(
  keyOf: (c: HttpContext) => string,
  options: CallsInProgressOptions,
): MiddlewareHandler<HttpEnv> {
  const { max, waitingMax = WAITING_MAX, waitMs = WAIT_MS, refusal = () => tooMany(max) } = options;
  const slots = createKeyedSlots({ slots: max, waitingMax, waitMs, refusal });
  return async (c, next) => {
    await slots.run(keyOf(c), next);
  };
}

/** For calls whose clients take a 429 as final. */
export function busyLine(): Problem {
  return busy(RETRY_AFTER_SECONDS);
}

function tooMany(limit: number): Problem {
  const state = { windowSeconds: null, remaining: 0, resetSeconds: RETRY_AFTER_SECONDS };
  return rateLimited({ policy: 'calls_in_progress', limit, ...state });
}
