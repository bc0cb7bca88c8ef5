/** The function `tick`: runs the background work that is due, then ends. Its callers must know the project's secret. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { allTasks, CRONTAB } from '../../app/tasks.ts';
import { createLease, LeaseTimeout } from '../../db/lease.ts';
import { closePool, createPool } from '../../db/pool.ts';
import { restrictedSession } from '../../db/session.ts';
import { sweepGenerations } from '../../features/generations/worker/sweep.ts';
import { watchDatabase, watchTask } from '../../features/maintenance/worker/watch.ts';
import { bearerToken } from '../../http/auth.ts';
import { runDueJobs } from '../../queue/run-due-jobs.ts';
import type { Isolate } from './boot.ts';
import { errorResponse, getIsolate, unavailable } from './open.ts';
import { deno } from './runtime.ts';

/** An edge function may take 150 seconds to answer; this one is called every minute. */
const TIME_LIMIT_MS = 45_000;
const GRACE_MS = 8_000;
/** A tick ends at once if another one is running. */
const LEASE_WAIT_MS = 200;
/** Hourly and daily tasks are caught up within two hours, if no tick ran in their minute. */
const CRONTAB_WITH_CATCH_UP = CRONTAB.replace(/^\d.*$/gm, (line) => `${line}${line.includes('?') ? '&' : ' ?'}fill=2h`);

export type TickResult = { done: boolean; busy: boolean; expired: number; requeued: number };

export function serveTick(): void {
  deno().serve({}, async (request) => {
    if (request.method !== 'POST') return errorResponse(405, 'ERR_4016', { Allow: 'POST' });
    try {
      const isolate = await getIsolate();
      if (!isAuthorized(request, tokensOf(isolate))) return errorResponse(401, 'ERR_4005');
      return Response.json(await tick(isolate));
    } catch (error) {
      return unavailable(error);
    }
  });
}

/** One at a time in the whole project: during another tick, the result is `busy`. */
export async function tick(isolate: Isolate): Promise<TickResult> {
  const { directUrl, log } = isolate;
  const lease = createLease({ url: directUrl, name: 'tick', waitMs: LEASE_WAIT_MS, log });
  try {
    return await lease.run(() => runWork(isolate));
  } catch (error) {
    if (!(error instanceof LeaseTimeout)) throw error;
    return { done: false, busy: true, expired: 0, requeued: 0 };
  }
}

async function runWork({ directUrl, log, running: { ctx, concurrency } }: Isolate): Promise<TickResult> {
  const swept = await sweepGenerations(ctx);
  await watchDatabase(ctx);
  const pool = createPool({ url: directUrl, log, applicationName: 'rendio-tick', connectionsMax: concurrency });
  try {
    const done = await runDueJobs({
      pool,
      connection: restrictedSession(directUrl, 'rendio-liveness'),
      tasks: allTasks(ctx),
      crontab: CRONTAB_WITH_CATCH_UP,
      log,
      onFailure: (failure) => watchTask(ctx, failure),
      concurrency,
      limitMs: TIME_LIMIT_MS,
      graceMs: GRACE_MS,
    });
    return { done, busy: false, ...swept };
  } finally {
    await closePool(pool);
  }
}

/** The accepted tokens: one derived from SECRET_KEY for this purpose only, and the project's service-role key. */
function tokensOf({ config, secretKey }: Isolate): string[] {
  const role = config.secrets.supabase?.serviceRoleKey.reveal();
  return [tickTokenOf(secretKey), ...(role ? [role] : [])];
}

/** The same as `openssl dgst -sha256 -hmac` makes: lower-case hex. */
export function tickTokenOf(secretKey: string): string {
  return createHmac('sha256', secretKey).update('rendio tick').digest('hex');
}

function isAuthorized(request: Request, tokens: string[]): boolean {
  try {
    const token = bearerToken(request.headers.get('Authorization') ?? undefined);
    return token !== null && tokens.some((accepted) => isSame(token, accepted));
  } catch {
    return false;
  }
}

/** Takes the same time for a wrong token as for a right one, whatever their lengths. */
function isSame(given: string, accepted: string): boolean {
  const digest = (text: string) => createHmac('sha256', accepted).update(text).digest();
  return timingSafeEqual(digest(given), digest(accepted));
}
