import { sql } from 'kysely';
import { isLocale } from '../../../kernel/locale.ts';
import { type PushKind, pushText } from '../../../kernel/messages/pushes.ts';
import { type Backoff, backoffMs, systemRetryTools } from '../../../kernel/retry.ts';
import type { Push, PushEnvironment, PushResult } from '../../../push/port.ts';
import type { Context } from '../../context.ts';

export type SendPushContext = Pick<Context, 'bulkhead' | 'db' | 'log' | 'push' | 'raiseAlert'>;

/** A push is news for a day: the waits grow to a quarter of an hour. */
const BACKOFF: Backoff = { baseMs: 5_000, maxMs: 15 * 60_000 };
/** While our key is refused, asking more often would help nobody. */
const KEY_REFUSED: Backoff = { baseMs: 60_000, maxMs: 30 * 60_000 };
/** All pushes are one group on the phone. */
const THREAD_ID = 'videos';

/**
 * Sends one push, and records how it fared; by then its next try is scheduled, if there is one. Sends nothing that must not be sent any
 * more. Safe to repeat: the vendor and the device know a push by its id.
 */
export async function sendPush(ctx: SendPushContext, pushId: string, signal: AbortSignal): Promise<void> {
  const row = await readPush(ctx, pushId);
  if (row?.state !== 'pending') return;
  const send = ctx.push?.send;
  const obstacle = send ? obstacleTo(row) : 'pushes are off';
  if (!send || !isSendable(row) || obstacle !== null) {
    await ctx.db.call('finish_push', { push_id: pushId, outcome: 'dropped', reason: obstacle });
    return ctx.log.info({ push_id: pushId, job_id: row.job_id, cause: obstacle }, 'a push was dropped');
  }
  // A vendor that hangs uses half of the worker's slots, not all.
  const slot = await ctx.bulkhead.run('apns', () => send(pushOf(row), signal));
  if (!slot.hasRun) {
    await ctx.db.call('schedule_push', { push_id: pushId, delay_ms: slot.retryAfterMs });
    return;
  }
  // Without a verdict, the queue keeps the task.
  if (slot.result.outcome === 'retry') signal.throwIfAborted();
  await record(ctx, row, slot.result);
}

type Row = {
  id: string;
  job_id: string;
  kind: PushKind;
  state: string;
  attempts: number;
  expires_at: Date;
  token: string | null;
  environment: PushEnvironment | null;
  registered_at: Date | null;
  is_owners: boolean | null;
  language: string | null;
  is_banned: boolean;
  is_gone: boolean;
  is_deleted: boolean;
  is_expired: boolean;
  credits_used: number | null;
};
type SendableRow = Row & { token: string; environment: PushEnvironment; registered_at: Date };

/** The push with all that decides whether it may be sent. */
async function readPush({ db }: SendPushContext, pushId: string): Promise<Row | undefined> {
  const { rows } = await sql<Row>`
    select
      p.id,
      p.job_id,
      p.kind,
      p.state,
      p.attempts,
      p.expires_at,
      t.token,
      t.environment,
      t.registered_at,
      t.user_id = p.user_id as is_owners,
      u.language,
      exists (select from user_bans b where b.user_id = p.user_id) as is_banned,
      u.id is null or u.deleted_at is not null as is_gone,
      j.job_id is null or j.deleted_at is not null as is_deleted,
      p.expires_at <= now() as is_expired,
      j.credits_used
    from pushes p
    left join push_tokens t on t.id = p.token_id
    left join users u on u.id = p.user_id
    left join video_jobs j on j.job_id = p.job_id
    where p.id = ${pushId}::uuid`.execute(db.read);
  return rows[0];
}

function obstacleTo(row: Row): string | null {
  if (row.is_gone) return 'the account is deleted';
  if (row.is_banned) return 'the account is banned';
  if (row.is_deleted) return 'the video is deleted';
  if (row.is_owners === null) return 'the device is not registered any more';
  if (!row.is_owners) return 'the device belongs to another account now';
  return row.is_expired ? 'it is no news any more' : null;
}

function isSendable(row: Row): row is SendableRow {
  return row.token !== null && row.environment !== null && row.registered_at !== null;
}

function pushOf(row: SendableRow): Push {
  const locale = isLocale(row.language) ? row.language : 'en';
  return {
    id: row.id,
    token: row.token,
    environment: row.environment,
    ...pushText(row.kind, locale, row.credits_used ?? 0),
    data: { job_id: row.job_id, kind: row.kind },
    collapseId: row.job_id,
    threadId: THREAD_ID,
    expiresAt: row.expires_at,
  };
}

async function record(ctx: SendPushContext, row: SendableRow, result: PushResult): Promise<void> {
  const { outcome } = result;
  const reason = outcome === 'sent' ? null : result.reason;
  const about = { push_id: row.id, job_id: row.job_id, kind: row.kind, ...(reason === null ? {} : { cause: reason }) };
  if (outcome === 'sent') ctx.log.info(about, 'a push was sent');
  else if (outcome === 'token_gone') ctx.log.info(about, 'a device is not registered at Apple any more');
  else if (outcome === 'retry') ctx.log.warn(about, 'a push could not be sent yet');
  else if (outcome === 'declined') ctx.log.error(about, 'a push was declined');
  else {
    ctx.log.error(about, 'Apple refuses the key for pushes');
    ctx.raiseAlert({ kind: 'store_key', subject: 'apns' });
  }
  await ctx.db.call('finish_push', { push_id: row.id, reason, ...fateOf(result, row) });
}

function fateOf(result: PushResult, { attempts, registered_at }: SendableRow) {
  const tries = attempts + 1;
  switch (result.outcome) {
    case 'sent':
      return { outcome: 'sent' };
    case 'declined':
      return { outcome: 'failed' };
    case 'token_gone':
      return { outcome: 'token_gone', registered_at, gone_at: result.goneAt };
    case 'key_refused':
      return { outcome: 'retry', retry_ms: waitMs(tries, KEY_REFUSED) };
    case 'retry':
      return {
        outcome: 'retry',
        retry_ms: Math.max(waitMs(tries, BACKOFF), Math.min(result.retryAfterMs ?? 0, DAY_MS)),
      };
  }
}

/** Longer than any push is news; a longer wait need not be told from it. */
const DAY_MS = 24 * 3_600_000;

function waitMs(tries: number, backoff: Backoff): number {
  return Math.round(backoffMs(tries, backoff, systemRetryTools.random));
}
