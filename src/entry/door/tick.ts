/** The function `tick`: does the background work that is due, and ends. Only for whoever knows the project's secret. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { allTasks, CRONTAB } from '../../app/tasks.ts';
import { createLease, LeaseTimeout } from '../../db/lease.ts';
import { closePool, createPool, restrictedConnection } from '../../db/pool.ts';
import { sweepGenerations } from '../../features/generations/worker/sweep.ts';
import { bearerToken } from '../../http/auth.ts';
import { runDueJobs } from '../../queue/run-due-jobs.ts';
import type { Isolate } from './boot.ts';
import { refusal, refuseToStart, theIsolate } from './open.ts';
import { deno } from './runtime.ts';

/** An edge function may take 150 seconds for an answer; a minute is how often it is called. */
const LIMIT_MS = 45_000;
const GRACE_MS = 8_000;
/** A tick that finds another at work leaves at once. */
const TURN_WAIT_MS = 200;
/** What was to be done each hour is made up for, if nobody was there at that minute. */
const HOURLY = CRONTAB.replace(/$/gm, ' ?fill=2h');

export type TickResult = { done: boolean; busy: boolean; expired: number; requeued: number };

export function serveTick(): void {
  deno().serve({}, async (request) => {
    if (request.method !== 'POST') return refusal(405, 'ERR_4016', { Allow: 'POST' });
    try {
      const isolate = await theIsolate();
      if (!isWelcome(request, secretsOf(isolate))) return refusal(401, 'ERR_4005');
      return Response.json(await tick(isolate));
    } catch (error) {
      return refuseToStart(error);
    }
  });
}

/** One at a time in the whole project: who comes while another is at work is told that it is busy. */
export async function tick(isolate: Isolate): Promise<TickResult> {
  const { directUrl, log } = isolate;
  const turn = createLease({ url: directUrl, name: 'tick', waitMs: TURN_WAIT_MS, log });
  try {
    return await turn.run(() => work(isolate));
  } catch (error) {
    if (!(error instanceof LeaseTimeout)) throw error;
    return { done: false, busy: true, expired: 0, requeued: 0 };
  }
}

async function work({ directUrl, log, running: { ctx, concurrency: workPlaces } }: Isolate): Promise<TickResult> {
  const swept = await sweepGenerations(ctx);
  const pool = createPool({ url: directUrl, log, applicationName: 'rendio-tick', connectionsMax: workPlaces });
  try {
    const done = await runDueJobs({
      pool,
      connection: restrictedConnection(directUrl, 'rendio-alive'),
      tasks: allTasks(ctx),
      crontab: HOURLY,
      log,
      concurrency: workPlaces,
      limitMs: LIMIT_MS,
      graceMs: GRACE_MS,
    });
    return { done, busy: false, ...swept };
  } finally {
    await closePool(pool);
  }
}

/** A token made from SECRET_KEY that can do nothing else, or the service-role key of the project. */
function secretsOf({ config, secretKey }: Isolate): string[] {
  const role = config.secrets.supabase?.serviceRoleKey.reveal();
  return [tickTokenOf(secretKey), ...(role ? [role] : [])];
}

/** `openssl dgst -sha256 -hmac` makes the same: lower-case hex. */
export function tickTokenOf(secretKey: string): string {
  return createHmac('sha256', secretKey).update('rendio tick').digest('hex');
}

function isWelcome(request: Request, secrets: string[]): boolean {
  try {
    const token = bearerToken(request.headers.get('Authorization') ?? undefined);
    return token !== null && secrets.some((secret) => isSame(token, secret));
  } catch {
    return false;
  }
}

/** Takes as long for a wrong token as for a right one, whatever their lengths. */
function isSame(given: string, secret: string): boolean {
  const digest = (text: string) => createHmac('sha256', secret).update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}
