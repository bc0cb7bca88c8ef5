-- Every violation of a money rule that the data shows; no rows when all rules hold.
create or replace function public.broken_invariants()
returns table (invariant text, subject uuid, details jsonb)
language sql
stable
security definer
set search_path = ''
as $$
  select 'a balance equals the sum of its ledger rows', u.id,
    jsonb_build_object('balance', u.credits_remaining, 'sum', coalesce(l.total, 0))
  from public.users u
  left join (select user_id, sum(change) as total from public.quota_log group by user_id) l on l.user_id = u.id
  where u.credits_remaining <> coalesce(l.total, 0)
  union all
  select 'every row carries the balance after it', r.user_id,
    jsonb_build_object('row', r.id, 'balance_after', r.balance_after, 'sum', r.running)
  from (
    select user_id, id, balance_after, sum(change) over (partition by user_id order by seq) as running
    from public.quota_log
  ) r
  where r.balance_after <> r.running
  union all
  select 'a generation has one charge, of its price', j.job_id,
    jsonb_build_object('credits_used', j.credits_used, 'charged', c.charged, 'charges', c.charges)
  from public.video_jobs j
  cross join lateral (
    select count(*) as charges, -coalesce(sum(q.change), 0) as charged
    from public.quota_log q
    where q.job_id = j.job_id and q.reason = 'video_generation' and q.user_id = j.user_id
  ) c
  where c.charges <> 1 or c.charged <> j.credits_used
  union all
  select 'a failed generation has its credits back, once, and no other has', j.job_id,
    jsonb_build_object('status', j.status, 'refunds', r.refunds, 'refunded', r.refunded)
  from public.video_jobs j
  cross join lateral (
    select count(*) as refunds, coalesce(sum(q.change), 0) as refunded
    from public.quota_log q
    where q.job_id = j.job_id and q.reason = 'generation_failed_refund'
  ) r
  where (j.status = 'failed' and (r.refunds <> 1 or r.refunded <> j.credits_used))
    or (j.status <> 'failed' and r.refunds <> 0)
  union all
  select 'the lifetime total counts grants and purchases', u.id,
    jsonb_build_object('credits_total', u.credits_total, 'sum', coalesce(l.earned, 0))
  from public.users u
  left join (
    select user_id, sum(change) as earned
    from public.quota_log
    where reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed')
    group by user_id
  ) l on l.user_id = u.id
  where u.credits_total <> coalesce(l.earned, 0)
    and not exists (select from public.quota_log m where m.user_id = u.id and m.reason = 'account_merge')
  union all
  select 'job counters say what the jobs say', coalesce(k.user_id, n.user_id),
    jsonb_build_object('status', coalesce(k.status, n.status), 'kept', k.jobs, 'counted', n.jobs)
  from public.job_counters k
  full join (
    select user_id, status, count(*) as jobs from public.video_jobs where deleted_at is null group by user_id, status
  ) n on n.user_id = k.user_id and n.status = k.status
  where coalesce(k.jobs, 0) <> coalesce(n.jobs, 0)
$$;
