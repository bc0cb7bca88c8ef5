import type { Context } from '../../context.ts';

/** Adds what has happened to the figures of its day. Where another process is at it, or rows are too new, the next minute does it. */
export async function countDays({ db }: Pick<Context, 'db'>, signal: AbortSignal): Promise<void> {
  for (let isLimited = true; isLimited && !signal.aborted; ) {
    const counted = await db.call('count_days', {});
    isLimited = counted?.is_limited ?? false;
  }
}
