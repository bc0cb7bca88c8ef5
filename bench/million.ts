/** A database with a million rows in each table that grows, as a service has them after a few good months. */
import type pg from 'pg';

export const USERS = 100_000;
const JOBS = 1_000_000;

/**
 * Fills an empty, migrated database; the money's rules hold in it. Rows are written without triggers, so that a million takes
 * a minute; what triggers keep up to date is computed afterwards.
 */
export async function fillWithMillion(owner: pg.Pool): Promise<void> {
  const client = await owner.connect();
  try {
    await client.query('set session_replication_role = replica');
    for (const statement of STATEMENTS) await client.query(statement);
    await client.query('reset session_replication_role');
    await client.query('analyze');
  } finally {
    client.release(true);
  }
}

/** The id of the user with this number, from 1. */
export function userId(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** The same in SQL. */
const user = (n: string) => `('00000000-0000-4000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
const job = (n: string) => `('00000000-0000-4000-9000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;

const STATEMENTS = [
  `insert into users (id, device_id, credits_remaining, credits_total, initial_grant_claimed, created_at)
   select ${user('n')}, 'device-of-user-' || n, 0, 10000, true, now() - interval '90 days'
   from generate_series(1, ${USERS}) n`,
  // Of every twenty jobs one has failed, one is deleted and the rest are completed; spread over 60 days.
  `insert into video_jobs (job_id, user_id, model_id, model_name, provider, provider_model_id, prompt, settings, status, progress,
     video_url, thumbnail_url, video_bytes, video_sha256, video_seconds, credits_used, error_code, provider_job_id, created_at,
     submitted_at, deadline_at, completed_at, deleted_at, media_path)
   select ${job('n')}, ${user(`1 + n % ${USERS}`)}, m.id, m.name, m.provider, m.provider_model_id, 'a prompt of common length, number ' || n,
     '{"duration": 5}', case when (n + n / ${USERS}) % 20 = 0 then 'failed' else 'completed' end, null,
     case when (n + n / ${USERS}) % 20 <> 0 then p.path || '.mp4' end, case when (n + n / ${USERS}) % 20 <> 0 then p.path || '.jpg' end,
     case when (n + n / ${USERS}) % 20 <> 0 then 1000000 end, case when (n + n / ${USERS}) % 20 <> 0 then repeat('0', 64) end, case when (n + n / ${USERS}) % 20 <> 0 then 5 end, 1,
     case when (n + n / ${USERS}) % 20 = 0 then 'ERR_5003' end, 'provider-job-' || n, t.at, t.at, t.at + interval '30 minutes', t.at + interval '40 seconds',
     case when (n + n / ${USERS}) % 20 = 1 then t.at + interval '1 hour' end, p.path
   from generate_series(1, ${JOBS}) n
   cross join lateral (select now() - interval '60 days' * (1 - n::double precision / ${JOBS}) as at) t
   cross join lateral (select ${user(`1 + n % ${USERS}`)} || '/' || to_char(t.at, 'YYYY-MM') || '/' || ${job('n')} as path) p
   cross join (select * from models where provider = 'sandbox') m`,
  `insert into quota_log (user_id, job_id, change, reason, balance_after, created_at)
   select user_id, null, 10000, 'iap_purchase', 10000, now() - interval '61 days' from (select id as user_id from users) u`,
  `insert into quota_log (user_id, job_id, change, reason, balance_after, created_at)
   select user_id, job_id, change, reason, 10000 + sum(change) over (partition by user_id order by created_at, change), created_at
   from (
     select user_id, job_id, -credits_used as change, 'video_generation' as reason, created_at from video_jobs
     union all
     select user_id, job_id, credits_used, 'generation_failed_refund', completed_at from video_jobs where status = 'failed'
   ) moves
   order by created_at, change`,
  `update users u set credits_remaining = l.total
   from (select user_id, sum(change) as total from quota_log group by user_id) l where l.user_id = u.id`,
  // As an upgrade of a ledger from before lots leaves it.
  `insert into credit_lots (user_id, source, is_purchased, amount, remaining)
   select id, 'opening_balance', true, credits_remaining, credits_remaining from users where credits_remaining > 0`,
  `update audit_progress set last_seq_without_lots = n.seq, checked_seq = n.seq, checked_until = now()
   from (select max(seq) as seq from quota_log) n`,
  `insert into job_counters (user_id, status, jobs)
   select user_id, status, count(*) from video_jobs where deleted_at is null group by user_id, status`,
  `insert into provider_attempts (job_id, user_id, attempt, provider, provider_model_id, state, provider_job_id, vendor_cost_usd, created_at,
     closed_at, ended_at, result)
   select job_id, user_id, 1, provider, provider_model_id, 'accepted', provider_job_id, 0.1, created_at, submitted_at, completed_at, status
   from video_jobs`,
  `insert into user_events (user_id, type, job_id, data, created_at)
   select user_id, 'completed', job_id, '{}', completed_at from video_jobs`,
  // The last million is of the last hour: the worst that a window can meet.
  `insert into rate_limit_log (ip_address, action, user_id, created_at)
   select ('10.' || (n + n / ${USERS}) % 200 || '.' || n % 250 || '.' || n % 240)::inet, 'generations', ${user(`1 + n % ${USERS}`)},
     now() - interval '1 hour' * (1 - n::double precision / ${JOBS})
   from generate_series(1, ${JOBS}) n`,
  `insert into idempotency_log (user_id, idempotency_key, job_id, operation_type, request_hash, response_data, status_code, created_at, expires_at)
   select user_id, gen_random_uuid(), job_id, 'generate_video', repeat('0', 64), '{}', 200, now() - interval '12 hours', now() + interval '12 hours'
   from video_jobs`,
  `insert into uploads (id, user_id, path, file, content_type, bytes, width, height, sha256, created_at, updated_at, stored_at)
   select ${job('n')}, ${user(`1 + n % ${USERS}`)}, ${user(`1 + n % ${USERS}`)} || '/image-' || n || '.jpg',
     'user_uploads/' || ${user(`1 + n % ${USERS}`)} || '/' || ${job('n')} || '.jpg', 'image/jpeg', 100000, 640, 480, repeat('0', 64), t.at, t.at, t.at
   from generate_series(1, ${JOBS}) n
   cross join lateral (select now() - interval '29 days' * (1 - n::double precision / ${JOBS}) as at) t`,
  `insert into sessions (id, user_id, created_at, refreshed_at, expires_at)
   select ${job('n')}, ${user(`1 + n % ${USERS}`)}, now() - interval '20 days' * (1 - n::double precision / ${JOBS}), now() - interval '1 day',
     now() + interval '29 days'
   from generate_series(1, ${JOBS}) n`,
  `insert into refresh_tokens (token_hash, session_id, generation, nonce)
   select sha256(('token ' || n)::bytea), ${job('n')}, 0, decode(repeat('00', 32), 'hex') from generate_series(1, ${JOBS}) n`,
  `insert into provider_events (sender, event_key, job_id, user_id, effect, created_at)
   select 'fal', 'event-' || n, ${job('n')}, ${user(`1 + n % ${USERS}`)}, 'woke', now() - interval '29 days' * (1 - n::double precision / ${JOBS})
   from generate_series(1, ${JOBS}) n`,
  `insert into error_log (user_id, error_code, endpoint, request_data, error_details, created_at)
   select ${user(`1 + n % ${USERS}`)}, 'ERR_5003', 'generation', '{}', '{}', now() - interval '89 days' * (1 - n::double precision / ${JOBS})
   from generate_series(1, ${JOBS}) n`,
  // As refunds leave purchases that no account was credited for.
  `insert into purchases (store, environment, transaction_id, user_id, product_id, quantity, is_refunded, created_at)
   select 'apple', 'Production', 'transaction-' || n, ${user(`1 + n % ${USERS}`)}, 'com.rendio.credits.10', 1, n % 50 = 0,
     now() - interval '60 days' * (1 - n::double precision / ${JOBS})
   from generate_series(1, ${JOBS}) n`,
  `insert into store_notifications (store, notification_id, type, transaction_id, user_id, signed_at, outcome, received_at, processed_at)
   select 'apple', gen_random_uuid(), case when n % 50 = 0 then 'REFUND' else 'ONE_TIME_CHARGE' end, 'transaction-' || n,
     ${user(`1 + n % ${USERS}`)}, t.at, 'unchanged', t.at, t.at
   from generate_series(1, ${JOBS}) n
   cross join lateral (select now() - interval '60 days' * (1 - n::double precision / ${JOBS}) as at) t`,
  `insert into admin_actions (action_type, target_user_id, amount, reason, created_at)
   select 'credit_refund', ${user(`1 + n % ${USERS}`)}, 1, 'The video was unusable.', now() - interval '60 days' * (1 - n::double precision / ${JOBS})
   from generate_series(1, ${JOBS}) n`,
  `insert into codes (code, credits, uses_max, created_at)
   select 'CODE' || n, 5, 1, now() - interval '60 days' * (1 - n::double precision / ${JOBS}) from generate_series(1, ${JOBS}) n`,
];
