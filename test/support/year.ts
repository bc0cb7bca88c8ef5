/** A database with a year of generated life, the newest at the end of it: accounts, merges, deletions, jobs in all states, money, events. */
import type pg from 'pg';

const USERS = 40;
const JOBS = 480;

/** The ids of the user, the job or another row with this number, from 1; in SQL. */
const id = (kind: 8 | 9 | 'a' | 'b', n: string) =>
  `('00000000-0000-4000-${kind}000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
const user = (n: string) => id(8, n);
const job = (n: string) => id(9, n);
/** Of `count` rows that are spread over so many days, the age of each; never on the edge of a whole hour. */
const age = (days: number, count: number) =>
  `(interval '1 day' * ${days} * (1 - n / ${count}.0) + interval '7 minutes')`;
const SHA = `repeat('a', 64)`;

/** Fills a migrated database without accounts; the money's rules hold in it afterwards. */
export async function fillWithYear(owner: pg.Pool): Promise<void> {
  const client = await owner.connect();
  try {
    await client.query('set session_replication_role = replica');
    for (const statement of [...PEOPLE, ...GENERATIONS, ...MONEY, ...LOGS]) await client.query(statement);
    await client.query('reset session_replication_role');
  } finally {
    client.release(true);
  }
}

const PEOPLE = [
  // Of the last six two are merged guests, two are deleted and two were banned.
  `insert into users (id, device_id, credits_remaining, credits_total, initial_grant_claimed, created_at, deleted_at)
   select ${user('n')}, case when n not between 35 and 38 then 'device-' || n || '-of-the-year' end, 0, 0, true, now() - interval '365 days',
     case when n between 35 and 38 then now() - interval '100 days' end
   from generate_series(1, ${USERS}) n`,
  `insert into merged_users (user_id, survivor_id, credits_total, merged_at)
   select ${user('n')}, ${user('n - 34')}, 5000, now() - interval '100 days' from generate_series(35, 36) n`,
  `insert into user_bans (user_id, reason) select ${user('n')}, 'spam' from generate_series(39, 40) n`,
  `insert into device_grants (user_id, state, bit1, created_at, settled_at)
   select id, 'granted', true, created_at, created_at from users`,
  `insert into proven_devices (user_id) select id from users where deleted_at is null`,
  `insert into user_metadata (user_id, data) select id, '{"name": "ada"}' from users where deleted_at is null`,
  // An administrator, whose links and sessions have expired over the last month, or will.
  `insert into administrators (user_id, email) select ${user('1')}, 'ada@example.com'`,
  `insert into admin_links (token_hash, admin_user_id, expires_at)
   select sha256(('link ' || n)::bytea), ${user('1')}, now() + interval '2 days' - ${age(30, 60)} from generate_series(1, 60) n`,
  `insert into admin_sessions (id, admin_user_id, opened_by, expires_at)
   select ${id('a', 'n')}, ${user('1')}, 'link', now() + interval '2 days' - ${age(30, 60)} from generate_series(1, 60) n`,
  `insert into admin_actions (admin_user_id, target_user_id, action_type, reason, session_id, created_at)
   select ${user('1')}, ${user('1 + n % 30')}, 'credit_refund', 'a test', ${id('a', 'n')}, now() - ${age(365, 60)} from generate_series(1, 60) n`,
  // Sessions that expired up to 300 days ago, or will within 30; every fifth has been renewed for two months.
  `insert into sessions (id, user_id, active_generation, created_at, expires_at)
   select ${id('a', 'n')}, ${user('1 + n % 34')}, case when n % 5 = 0 then 60 else 0 end, now() - interval '70 days',
     now() + interval '30 days' - ${age(330, 300)}
   from generate_series(1, 300) n`,
  `insert into refresh_tokens (token_hash, session_id, generation, nonce, created_at)
   select sha256((s.id || ' ' || g)::bytea), s.id, g, decode(repeat('00', 32), 'hex'),
     least(now(), s.expires_at - interval '30 days') - interval '1 day' * (s.active_generation - g)
   from sessions s, generate_series(0, s.active_generation) g`,
];

/** Every 20th has failed, of others one is deleted in its day and one a hundred days later; the first two and the last four still run. */
const IS_RUNNING = `(n <= 2 or n > ${JOBS - 4})`;
const IS_FAILED = `(n % 20 = 0 and not ${IS_RUNNING})`;
const IS_COMPLETED = `(n % 20 <> 0 and not ${IS_RUNNING})`;

const GENERATIONS = [
  `insert into video_jobs (job_id, user_id, model_id, model_name, provider, provider_model_id, prompt, settings, image_url, status,
     video_url, thumbnail_url, video_bytes, video_sha256, video_seconds, credits_used, error_code, error_message, provider_job_id,
     created_at, deadline_at, completed_at, deleted_at, media_path)
   select ${job('n')}, ${user('1 + n % 34')}, m.id, m.name, m.provider, m.provider_model_id, 'a cat playing piano ' || n, '{"duration": 5}',
     case when n % 7 = 0 or ${IS_RUNNING} then ${user('1 + n % 34')} || '/image-' || n % 60 || '.png' end,
     case when ${IS_FAILED} then 'failed' when ${IS_COMPLETED} then 'completed' when n % 2 = 0 then 'pending' else 'processing' end,
     case when ${IS_COMPLETED} then p.path || '.mp4' end, case when ${IS_COMPLETED} then p.path || '.jpg' end,
     case when ${IS_COMPLETED} then 1000 end, case when ${IS_COMPLETED} then ${SHA} end, case when ${IS_COMPLETED} then 5 end, 2,
     case when ${IS_FAILED} then 'ERR_5003' end, case when ${IS_FAILED} then 'the vendor said no' end, 'provider-job-' || n,
     t.at, case when ${IS_RUNNING} then now() + interval '20 minutes' else t.at + interval '30 minutes' end,
     case when not ${IS_RUNNING} then t.at + interval '40 seconds' end,
     case
       when ${IS_RUNNING} then null
       when n % 20 = 1 then t.at + interval '1 hour'
       when n % 20 = 2 then least(t.at + interval '100 days', now() - interval '1 hour')
     end,
     p.path
   from generate_series(1, ${JOBS}) n
   cross join lateral (select now() - ${age(364, JOBS)} as at) t
   cross join lateral (select ${user('1 + n % 34')} || '/' || to_char(t.at, 'YYYY-MM') || '/' || ${job('n')} as path) p
   cross join (select * from models where provider = 'sandbox') m`,
  `insert into job_counters (user_id, status, jobs)
   select user_id, status, count(*) from video_jobs where deleted_at is null group by user_id, status`,
  // A completed job may have been tried twice.
  `insert into provider_attempts (job_id, attempt, provider, provider_model_id, state, provider_job_id, error, created_at, closed_at, result,
     result_error, ended_at)
   select job_id, a, provider, provider_model_id, case when a = 1 and seq % 3 = 0 then 'retryable' else 'accepted' end, provider_job_id,
     case when a = 1 and seq % 3 = 0 then 'busy' end, created_at, created_at,
     case when a = 1 and seq % 3 = 0 then null when status in ('failed', 'completed') then status end,
     case when status = 'failed' and not (a = 1 and seq % 3 = 0) then 'it said a cat playing piano' end,
     case when a = 1 and seq % 3 = 0 then null else completed_at end
   from video_jobs, generate_series(1, case when seq % 3 = 0 then 2 else 1 end) a`,
  `insert into provider_events (sender, event_key, job_id, effect, created_at)
   select 'fal', 'event ' || job_id, job_id, 'woke', created_at from video_jobs`,
  `insert into shares (job_id, token, with_prompt, created_at)
   select job_id, lpad(seq::text, 22, 'x'), seq % 2 = 0, completed_at from video_jobs where status = 'completed' and seq % 9 = 0`,
  `insert into reports (job_id, user_id, reporter_user_id, source, reason, created_at, handled_at)
   select job_id, user_id, ${user('34')}, 'share', 'not a cat', completed_at, case when seq % 2 = 0 then now() end
   from video_jobs where status = 'completed' and seq % 15 = 1`,
  // Images of the last two months. Every tenth is hidden: half of those since two hours.
  `insert into uploads (id, user_id, path, file, content_type, bytes, width, height, sha256, created_at, updated_at, stored_at)
   select ${id('b', 'n')}, u.id, u.id || case when n % 10 = 0 then '/~' || ${id('b', 'n')} else '/image-' || n || '.png' end,
     'user_uploads/' || u.id || '/' || ${id('b', 'n')} || '.png', 'image/png', 9, 320, 320, ${SHA}, t.at,
     case when n % 20 = 0 then now() - interval '2 hours' when n % 10 = 0 then now() - interval '10 minutes' else t.at end,
     case when n % 10 <> 0 then t.at end
   from generate_series(1, 60) n
   cross join lateral (select ${user('1 + n % 34')} as id) u
   cross join lateral (select now() - ${age(60, 60)} as at) t`,
];

const MONEY = [
  `insert into purchases (store, environment, transaction_id, user_id, product_id, quantity, credits, created_at)
   select 'apple', 'Production', 'transaction of ' || id, id, 'com.rendio.credits.100', 50, 5000, created_at from users`,
  `insert into quota_log (user_id, job_id, change, reason, balance_after, transaction_id, purchase_id, created_at)
   select p.user_id, null, 5000, 'iap_purchase', 5000, 'apple:' || p.transaction_id, p.id, p.created_at from purchases p`,
  `insert into quota_log (user_id, job_id, change, reason, balance_after, created_at)
   select user_id, job_id, change, reason, 5000 + sum(change) over (partition by user_id order by created_at, change), created_at
   from (
     select user_id, job_id, -credits_used as change, 'video_generation' as reason, created_at from video_jobs
     union all
     select user_id, job_id, credits_used, 'generation_failed_refund', completed_at from video_jobs where status = 'failed'
     union all
     select user_id, null, -5000, 'account_merge', merged_at from merged_users
     union all
     select survivor_id, null, 5000, 'account_merge', merged_at from merged_users
   ) moves
   order by created_at, change`,
  `update purchases p set user_id = m.survivor_id from merged_users m where m.user_id = p.user_id`,
  `update users u
   set credits_remaining = l.total, credits_total = case when m.user_id is null then 5000 else 0 end + coalesce(s.credits_total, 0)
   from (select user_id, sum(change) as total from quota_log group by user_id) l
   left join merged_users m on m.user_id = l.user_id
   left join merged_users s on s.survivor_id = l.user_id
   where l.user_id = u.id`,
  `insert into credit_lots (user_id, source, is_purchased, amount, remaining, created_at)
   select id, 'opening_balance', true, credits_remaining, credits_remaining, created_at from users where credits_remaining > 0`,
  `update audit_progress set last_seq_without_lots = n.seq, checked_seq = n.seq, checked_until = now()
   from (select max(seq) as seq from quota_log) n`,
  `insert into codes (code, credits, uses, uses_max, created_at) values ('OLDCODE', 5, 2, 9, now() - interval '300 days')`,
  `insert into code_uses (code_id, user_id) select id, ${user('3')} from codes`,
  `insert into store_notifications (store, notification_id, type, transaction_id, signed_at, payload, outcome, received_at, processed_at)
   select 'apple', 'notification ' || n, 'ONE_TIME_CHARGE', 'transaction ' || n, now() - ${age(365, 365)}, 'signed', 
     case when n > 3 then 'none' end, now() - ${age(365, 365)}, case when n > 3 then now() - ${age(365, 365)} end
   from generate_series(1, 365) n`,
];

const LOGS = [
  `insert into rate_limit_log (ip_address, action, user_id, created_at)
   select '192.0.2.1', 'generations', ${user('1 + n % 34')}, now() - ${age(20, 400)} from generate_series(1, 400) n`,
  `insert into idempotency_log (user_id, idempotency_key, operation_type, request_hash, response_data, status_code, expires_at)
   select ${user('1 + n % 34')}, ${id('a', 'n')}, 'generate_video', ${SHA}, '{}', 200, now() + interval '1 day' - ${age(3, 300)}
   from generate_series(1, 300) n`,
  `insert into user_events (user_id, type, created_at)
   select ${user('1 + n % 34')}, 'credits', now() - ${age(3, 300)} from generate_series(1, 300) n`,
  `insert into error_log (user_id, error_code, endpoint, created_at)
   select ${user('1 + n % 34')}, 'ERR_5002', 'generate-video', now() - ${age(365, 365)} from generate_series(1, 365) n`,
  `insert into apple_account_notifications (notification_id, type, has_effect, created_at)
   select 'notification ' || n, 'email-disabled', true, now() - ${age(365, 365)} from generate_series(1, 365) n`,
  `insert into used_identity_tokens (token_hash, user_id, expires_at)
   select sha256(('token ' || n)::bytea), ${user('1 + n % 34')}, now() + interval '10 minutes' - ${age(30, 60)} from generate_series(1, 60) n`,
  `insert into alerts (kind, subject, hour, created_at)
   select 'refused_key', 'apple', date_trunc('hour', now() - ${age(365, 365)}), now() - ${age(365, 365)} from generate_series(1, 365) n`,
];
