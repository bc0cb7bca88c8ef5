-- Every violation of a money rule that the rows of some users show: of those with `p_after` < id <= `p_until`; null: no bound.
-- No rows when all rules hold. One range of users costs the same however many others there are, so that a check of the whole
-- database is made of short statements.
create or replace function public.broken_invariants(p_after uuid default null, p_until uuid default null)
returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
-- A plan for any range would read the whole tables.
set plan_cache_mode = force_custom_plan
as $$
declare
  v_after uuid := coalesce(p_after, '00000000-0000-0000-0000-000000000000');
  v_until uuid := coalesce(p_until, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
begin
  return query
  select 'a balance equals the sum of its ledger rows', u.id,
    jsonb_build_object('balance', u.credits_remaining, 'sum', coalesce(l.total, 0))
  from public.users u
  left join (
    select q.user_id, sum(q.change) as total
    from public.quota_log q
    where q.user_id > v_after and q.user_id <= v_until
    group by q.user_id
  ) l on l.user_id = u.id
  where u.id > v_after and u.id <= v_until and u.credits_remaining <> coalesce(l.total, 0);

  return query
  select 'every row carries the balance after it', r.user_id,
    jsonb_build_object('row', r.id, 'balance_after', r.balance_after, 'sum', r.running)
  from (
    select q.user_id, q.id, q.balance_after, sum(q.change) over (partition by q.user_id order by q.seq) as running
    from public.quota_log q
    where q.user_id > v_after and q.user_id <= v_until
  ) r
  where r.balance_after <> r.running;

  return query
  with jobs as materialized (
    -- Each half has an index of its own.
    select j.job_id, j.user_id, j.status, j.credits_used
    from public.video_jobs j
    where j.deleted_at is null and j.user_id > v_after and j.user_id <= v_until
    union all
    select j.job_id, j.user_id, j.status, j.credits_used
    from public.video_jobs j
    where j.deleted_at is not null and j.user_id > v_after and j.user_id <= v_until
  ), compared as (
    select j.*, m.*
    from jobs j
    cross join lateral (
      select
        count(*) filter (where q.reason = 'video_generation' and c.is_its_owners) as charges,
        -coalesce(sum(q.change) filter (where q.reason = 'video_generation' and c.is_its_owners), 0) as charged,
        count(*) filter (where q.reason = 'generation_failed_refund') as refunds,
        coalesce(sum(q.change) filter (where q.reason = 'generation_failed_refund'), 0) as refunded
      from public.quota_log q
      cross join lateral (
        -- A merged guest's charges stay in its ledger, while its jobs are the survivor's.
        select q.user_id = j.user_id or exists (
          select from public.merged_users g where g.user_id = q.user_id and g.survivor_id = j.user_id
        ) as is_its_owners
      ) c
      where q.job_id = j.job_id
    ) m
  )
  select 'a generation has one charge, of its price', c.job_id,
    jsonb_build_object('credits_used', c.credits_used, 'charged', c.charged, 'charges', c.charges)
  from compared c
  where c.charges <> 1 or c.charged <> c.credits_used
  union all
  select 'a failed generation has its credits back, once, and no other has', c.job_id,
    jsonb_build_object('status', c.status, 'refunds', c.refunds, 'refunded', c.refunded)
  from compared c
  where (c.status = 'failed' and (c.refunds <> 1 or c.refunded <> c.credits_used))
    or (c.status <> 'failed' and c.refunds <> 0);

  return query
  select 'the lifetime total counts grants and purchases', u.id,
    jsonb_build_object('credits_total', u.credits_total, 'sum', coalesce(l.earned, 0), 'merged', m.total)
  from public.users u
  left join (
    select q.user_id,
      sum(q.change) filter (
        where q.reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed')
      ) as earned
    from public.quota_log q
    where q.user_id > v_after and q.user_id <= v_until
    group by q.user_id
  ) l on l.user_id = u.id
  left join (
    select g.survivor_id, sum(g.credits_total) as credits_total
    from public.merged_users g
    where g.survivor_id > v_after and g.survivor_id <= v_until
    group by g.survivor_id
  ) arrived on arrived.survivor_id = u.id
  left join public.merged_users gone on gone.user_id = u.id
  cross join lateral (
    select coalesce(arrived.credits_total, 0) - coalesce(gone.credits_total, 0) as total
  ) m
  where u.id > v_after and u.id <= v_until
    and u.credits_total <> coalesce(l.earned, 0) + m.total;

  return query
  select 'a merged guest keeps nothing', g.user_id,
    jsonb_build_object('survivor', g.survivor_id, 'balance', u.credits_remaining, 'deleted_at', u.deleted_at)
  from public.merged_users g
  left join public.users u on u.id = g.user_id
  where g.user_id > v_after and g.user_id <= v_until
    and (
      u.id is null
      or u.deleted_at is null
      or u.credits_remaining <> 0
      or exists (select from public.job_counters c where c.user_id = g.user_id and c.jobs <> 0)
    );

  return query
  select 'a merge moves what it takes', s.id, jsonb_build_object('arrived', m.arrived, 'left', m.gone)
  from (
    select distinct survivor_id as id from public.merged_users where survivor_id > v_after and survivor_id <= v_until
  ) s
  cross join lateral (
    select
      coalesce((select sum(change) from public.quota_log where user_id = s.id and reason = 'account_merge'), 0) as arrived,
      -coalesce(
        (
          select sum(q.change)
          from public.merged_users g
          join public.quota_log q on q.user_id = g.user_id and q.reason = 'account_merge'
          where g.survivor_id = s.id
        ),
        0
      ) as gone
  ) m
  where m.arrived <> m.gone;

  return query
  select 'lots hold the balance', u.id, jsonb_build_object('balance', u.credits_remaining, 'held', coalesce(l.held, 0))
  from public.users u
  left join (
    select c.user_id, sum(c.remaining) as held
    from public.credit_lots c
    where c.user_id > v_after and c.user_id <= v_until and c.is_open
    group by c.user_id
  ) l on l.user_id = u.id
  where u.id > v_after and u.id <= v_until and coalesce(l.held, 0) <> greatest(u.credits_remaining, 0);

  return query
  select 'a lot is its amount and its movements', c.id,
    jsonb_build_object('amount', c.amount, 'movements', m.moved, 'remaining', c.remaining)
  from public.credit_lots c
  cross join lateral (
    select coalesce(sum(change), 0) as moved from public.lot_movements where lot_id = c.id
  ) m
  where c.user_id > v_after and c.user_id <= v_until and c.amount + m.moved <> c.remaining;

  return query
  select 'a ledger row changes the lots as much as the balance', q.id,
    jsonb_build_object('change', q.change, 'balance_after', q.balance_after, 'in_lots', m.opened + m.moved)
  from public.quota_log q
  cross join lateral (
    select
      coalesce((select sum(amount) from public.credit_lots where ledger_id = q.id), 0) as opened,
      coalesce((select sum(change) from public.lot_movements where ledger_id = q.id), 0) as moved
  ) m
  where q.user_id > v_after and q.user_id <= v_until
    and q.seq > (select last_seq_without_lots from public.audit_progress)
    -- Its lots change their owner instead.
    and q.reason <> 'account_merge'
    and m.opened + m.moved <> greatest(q.balance_after, 0) - greatest(q.balance_after - q.change, 0);

  return query
  select 'a purchase is what its ledger rows say', p.id,
    jsonb_build_object('credits', p.credits, 'taken_back', p.taken_back, 'credited', m.credited, 'taken', m.taken)
  from public.purchases p
  cross join lateral (
    select
      coalesce(sum(q.change) filter (where q.reason = 'iap_purchase'), 0) as credited,
      -coalesce(sum(q.change) filter (where q.reason <> 'iap_purchase'), 0) as taken
    from public.quota_log q
    where q.purchase_id = p.id
  ) m
  where p.user_id > v_after and p.user_id <= v_until and (p.credits <> m.credited or p.taken_back <> m.taken);

  return query
  select 'job counters say what the jobs say', coalesce(k.user_id, n.user_id),
    jsonb_build_object('status', coalesce(k.status, n.status), 'kept', k.jobs, 'counted', n.jobs)
  from (
    select c.* from public.job_counters c where c.user_id > v_after and c.user_id <= v_until
  ) k
  full join (
    select j.user_id, j.status, count(*) as jobs
    from public.video_jobs j
    where j.deleted_at is null and j.user_id > v_after and j.user_id <= v_until
    group by j.user_id, j.status
  ) n on n.user_id = k.user_id and n.status = k.status
  where coalesce(k.jobs, 0) <> coalesce(n.jobs, 0);
end
$$;
