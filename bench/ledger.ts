/** A database whose ledger has about ten rows for each account, with jobs, purchases, lots and movements; the money's rules hold in it. */
import type pg from 'pg';

/** Ledger rows for each account, on average. */
export const ROWS_PER_ACCOUNT = 10.4;

/**
 * Fills an empty, migrated database with this many accounts. Rows are written without triggers, so that a million takes a
 * minute. What accounts do is spread over sixty days, so that the rows of one account lie far from each other, as in a real ledger.
 */
export async function fillLedger(owner: pg.Pool, accounts: number): Promise<void> {
  const client = await owner.connect();
  try {
    await client.query('set session_replication_role = replica');
    for (const statement of statementsFor(accounts)) await client.query(statement);
    await client.query('reset session_replication_role');
    await client.query('vacuum analyze');
  } finally {
    client.release(true);
  }
}

/** An id that looks like a random one, by kind and number. */
const id = (kind: string, n: string) => `md5('${kind} ' || ${n})::uuid`;

/** Every second account has bought a hundred credits; of those, one of fifty got half of the price back. */
const HAS_BOUGHT = 'n % 2 = 0';
const IS_REFUNDED = 'n % 100 = 0';

function statementsFor(accounts: number): string[] {
  return [
    `insert into users (id, device_id, credits_remaining, credits_total, initial_grant_claimed, created_at)
     select ${id('user', 'n')}, 'device-of-user-' || n, 0, case when ${HAS_BOUGHT} then 110 else 10 end, true, now() - interval '61 days'
     from generate_series(1, ${accounts}) n`,
    // One job of twenty fails. Each costs a credit, of the grant while it lasts: what failed before has come back to it.
    `create temp table planned as
     select n, i, is_failed, ${id('user', 'n')} as user_id, ${id('job', "n || '.' || i")} as job_id,
       now() - interval '60 days' + i * interval '4 days' + (n * 7919 % 345600) * interval '1 second' as at,
       count(*) filter (where not is_failed) over (partition by n order by i) - (not is_failed)::integer as spent
     from generate_series(1, ${accounts}) n
     cross join lateral generate_series(1, case when ${HAS_BOUGHT} then 12 else 5 end) i
     cross join lateral (select (n * 12 + i) % 20 = 0 as is_failed) f`,
    `insert into video_jobs (job_id, user_id, model_id, model_name, provider, provider_model_id, prompt, settings, status, progress,
       video_url, thumbnail_url, video_bytes, video_sha256, video_seconds, credits_used, error_code, provider_job_id, created_at,
       submitted_at, deadline_at, completed_at, deleted_at, media_path)
     select p.job_id, p.user_id, m.id, m.name, m.provider, m.provider_model_id, 'a prompt of common length, number ' || p.i,
       '{"duration": 5}', case when is_failed then 'failed' else 'completed' end, null,
       case when not is_failed then p.path || '.mp4' end, case when not is_failed then p.path || '.jpg' end,
       case when not is_failed then 1000000 end, case when not is_failed then repeat('0', 64) end, case when not is_failed then 5 end, 1,
       case when is_failed then 'ERR_5003' end, 'provider-job-' || p.n || '.' || p.i, p.at, p.at, p.at + interval '30 minutes',
       p.at + interval '40 seconds', case when p.i = 3 and p.n % 3 = 0 then p.at + interval '1 hour' end, p.path
     from (select *, user_id || '/' || to_char(at, 'YYYY-MM') || '/' || job_id as path from planned) p
     cross join (select * from models where provider = 'sandbox') m
     order by p.at`,
    `insert into purchases (id, store, environment, transaction_id, user_id, product_id, quantity, credits, taken_back, is_refunded, refund_decided_at, purchased_at)
     select ${id('purchase', 'n')}, 'apple', 'Production', '2000000' || n, ${id('user', 'n')}, 'com.rendio.credits.100', 1, 100,
       case when ${IS_REFUNDED} then 50 else 0 end, ${IS_REFUNDED}, case when ${IS_REFUNDED} then now() end, now() - interval '59 days'
     from generate_series(1, ${accounts}) n where ${HAS_BOUGHT}`,
    `create temp table moves as
     select n, user_id, null::uuid as job_id, 10 as change, 'initial_grant' as reason, 'initial_grant:' || user_id as transaction_id,
       null::uuid as purchase_id, now() - interval '60 days' as at, ${id('grant', 'n')} as id, null::uuid as lot_id
     from (select n, ${id('user', 'n')} as user_id from generate_series(1, ${accounts}) n) u
     union all
     select n, ${id('user', 'n')}, null, 100, 'iap_purchase', '2000000' || n, ${id('purchase', 'n')}, now() - interval '59 days', ${id('bought', 'n')}, null
     from generate_series(1, ${accounts}) n where ${HAS_BOUGHT}
     union all
     select n, user_id, job_id, -1, 'video_generation', null, null, at, ${id('charge', "n || '.' || i")}, ${id('lot', 'lot')}
     from planned cross join lateral (select case when spent < 10 then 'grant ' else 'bought ' end || n as lot) l
     union all
     select n, user_id, job_id, 1, 'generation_failed_refund', null, null, at + interval '40 seconds', ${id('refund', "n || '.' || i")}, ${id('lot', 'lot')}
     from planned cross join lateral (select case when spent < 10 then 'grant ' else 'bought ' end || n as lot) l where is_failed
     union all
     select n, ${id('user', 'n')}, null, -50, 'apple_refund', null, ${id('purchase', 'n')}, now() - interval '1 day', ${id('taken', 'n')}, ${id('lot', "'bought ' || n")}
     from generate_series(1, ${accounts}) n where ${IS_REFUNDED}`,
    `insert into quota_log (id, user_id, job_id, change, reason, transaction_id, balance_after, purchase_id, created_at)
     select id, user_id, job_id, change, reason, transaction_id, sum(change) over (partition by user_id order by at, change desc), purchase_id, at
     from moves order by at, change desc`,
    `insert into credit_lots (id, user_id, source, is_purchased, amount, remaining, purchase_id, ledger_id, created_at)
     select l.id, l.user_id, l.source, l.is_purchased, l.amount, l.amount + coalesce(m.moved, 0), l.purchase_id, l.ledger_id, l.at
     from (
       select ${id('lot', "case when purchase_id is null then 'grant ' else 'bought ' end || n")} as id, user_id, reason as source,
         purchase_id is not null as is_purchased, change as amount, purchase_id, id as ledger_id, at
       from moves where reason in ('initial_grant', 'iap_purchase')
     ) l
     left join (select lot_id, sum(change) as moved from moves where lot_id is not null group by lot_id) m on m.lot_id = l.id
     order by l.at`,
    `insert into lot_movements (lot_id, change, ledger_id, job_id, created_at)
     select lot_id, change, id, job_id, at from moves where lot_id is not null order by at`,
    `update users u set credits_remaining = l.total
     from (select user_id, sum(change) as total from quota_log group by user_id) l where l.user_id = u.id`,
    `insert into job_counters (user_id, status, jobs)
     select user_id, status, count(*) from video_jobs where deleted_at is null group by user_id, status`,
    `update audit_progress set checked_seq = (select max(seq) from quota_log), checked_until = now()`,
    'drop table planned, moves',
  ];
}
