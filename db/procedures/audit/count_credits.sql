-- Adds the ledger rows up to `p_until` to the totals that metrics show, each row once. The caller holds the lock of audit_progress,
-- and every transaction that could still add a row up to there has ended.
create or replace function public.count_credits(p_until bigint) returns void
language sql
security definer
set search_path = ''
as $$
  with due as (
    select
      q.reason,
      sum(abs(q.change::bigint)) as credits,
      sum(greatest(q.balance_after, 0)::bigint - greatest(q.balance_after::bigint - q.change, 0)) as outstanding
    from public.quota_log q
    where q.seq > (select counted_seq from public.audit_progress) and q.seq <= p_until
    group by q.reason
  ), added as (
    insert into public.credit_totals as t (reason, credits)
    select reason, credits
    from due
    on conflict (reason) do update set credits = t.credits + excluded.credits
  )
  update public.audit_progress
  set counted_seq = greatest(counted_seq, p_until),
      credits_outstanding = credits_outstanding + coalesce((select sum(outstanding) from due), 0)
$$;
