import { sql } from 'kysely';
import type { Context } from '../context.ts';
import { findAccountOf } from './find-account.ts';
import { type ListedTransaction, TRANSACTION_COLUMNS } from './list-transactions.ts';
import { successRate } from './success-rate.ts';

export type AccountOverview = {
  id: string;
  email: string | null;
  is_guest: boolean;
  is_banned: boolean;
  ban_reason: string | null;
  tier: string;
  credits_remaining: number;
  credits_total: number;
  initial_grant_claimed: boolean;
  language: string;
  created_at: Date;
  deleted_at: Date | null;
  merged_guest_ids: string[];
};

export type AccountStats = {
  total_jobs: number;
  completed_jobs: number;
  failed_jobs: number;
  success_rate: number;
  credits_spent: number;
  credits_refunded: number;
  purchases: number;
};

export type UserStats = { user: AccountOverview; stats: AccountStats; transactions: ListedTransaction[] };

const RECENT_TRANSACTIONS = 20;

/** An account in figures, with its newest transactions. Of a merged guest's id: the survivor. Throws ERR_4007. */
export async function readUserStats(ctx: Pick<Context, 'db'>, userId: string): Promise<UserStats> {
  const { id, guestIds } = await findAccountOf(ctx, userId);
  const { read } = ctx.db;
  const [account, jobs, ledger, purchases, recent] = await Promise.all([
    sql<Omit<AccountOverview, 'merged_guest_ids'>>`
      select u.id, u.email, u.is_guest, b.user_id is not null as is_banned, b.reason as ban_reason, u.tier, u.credits_remaining,
        u.credits_total, u.initial_grant_claimed, u.language, u.created_at, u.deleted_at
      from users u left join user_bans b on b.user_id = u.id
      where u.id = ${id}::uuid`.execute(read),
    // The counters have all but the deleted ones.
    sql<{ status: string; jobs: number }>`
      select status, sum(jobs)::integer as jobs
      from (
        select status, jobs from job_counters where user_id = ${id}::uuid
        union all
        select status, 1 from video_jobs where user_id = ${id}::uuid and deleted_at is not null
      ) j
      group by status`.execute(read),
    sql<{ spent: number; refunded: number }>`
      select coalesce(-sum(change) filter (where reason = 'video_generation'), 0)::float8 as spent,
        coalesce(sum(change) filter (where reason in ('generation_failed_refund', 'admin_refund')), 0)::float8 as refunded
      from quota_log
      where user_id = any (${[id, ...guestIds]}::uuid[])`.execute(read),
    sql<{ n: number }>`
      select count(*)::integer as n from purchases where user_id = ${id}::uuid`.execute(read),
    sql<ListedTransaction>`
      select ${TRANSACTION_COLUMNS} from quota_log t where t.user_id = ${id}::uuid order by t.seq desc limit ${RECENT_TRANSACTIONS}`.execute(
      read,
    ),
  ]);
  const [user, sums] = [account.rows[0], ledger.rows[0]];
  if (!user || !sums) throw new TypeError('an account has one row');
  return {
    user: { ...user, merged_guest_ids: guestIds },
    stats: {
      ...jobStatsOf(new Map(jobs.rows.map(({ status, jobs: n }) => [status, n]))),
      credits_spent: sums.spent,
      credits_refunded: sums.refunded,
      purchases: purchases.rows[0]?.n ?? 0,
    },
    transactions: recent.rows,
  };
}

function jobStatsOf(jobs: Map<string, number>) {
  const [completed, failed] = [jobs.get('completed') ?? 0, jobs.get('failed') ?? 0];
  return {
    total_jobs: [...jobs.values()].reduce((sum, n) => sum + n, 0),
    completed_jobs: completed,
    failed_jobs: failed,
    success_rate: successRate(completed, failed),
  };
}
