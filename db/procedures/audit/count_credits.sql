-- Adds the ledger rows up to `p_until` to the totals that metrics show, each row once. The caller holds the lock of audit_progress,
-- and every transaction that could still add a row up to there has ended.
create or replace function public.count_credits(p_until bigint) returns void
language sql
security definer
set search_path = ''
as $$
  with rows_due as (
    select reason, change, balance_after
    from public.quota_log
    where seq > (select counted_seq from public.audit_progress) and seq <= p_until
  ), due as (
    select
      reason,
      sum(abs(change::bigint)) as credits,
      sum(greatest(balance_after, 0)::bigint - greatest(balance_after::bigint - change, 0)) as outstanding
    from rows_due
    group by reason
  ), added as (
    insert into public.credit_totals as t (reason, credits)
    select reason, credits
    from due
    on conflict (reason) do update set credits = t.credits + excluded.credits
  ), moved as (
    select up_to, sum(accounts) as accounts
    from (
      select (select min(up_to) from public.balance_totals where up_to >= balance_after) as up_to, 1 as accounts
      from rows_due
      union all
      select (select min(up_to) from public.balance_totals where up_to >= balance_after - change), -1
      from rows_due
    ) both_sides
    group by up_to
    having sum(accounts) <> 0
  ), rebalanced as (
    update public.balance_totals t
    set accounts = t.accounts + m.accounts
    from moved m
    where m.up_to = t.up_to
  )
  update public.audit_progress
  set counted_seq = greatest(counted_seq, p_until),
      credits_outstanding = credits_outstanding + coalesce((select sum(outstanding) from due), 0)
$$;
