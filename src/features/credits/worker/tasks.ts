import type { Tasks } from '../../../queue/worker.ts';
import type { Context } from '../../context.ts';
import { expireLots } from './expire.ts';

export function creditTasks(ctx: Pick<Context, 'db' | 'log'>): Tasks {
  return { expire_lots: (_payload, { signal }) => expireLots(ctx, signal) };
}

/** In graphile-worker's crontab format: every minute. */
export const CREDITS_CRONTAB = '* * * * * expire_lots';
