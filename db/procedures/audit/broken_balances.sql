-- What is wrong with the balances of a range of users and with their ledgers: see broken_invariants.
create or replace function public.broken_balances(p_after uuid, p_until uuid)
returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
-- A plan for any range would read the whole tables.
set plan_cache_mode = force_custom_plan
as $$
begin
  return query
  with ledger as (
    select q.*, coalesce(lag(q.balance_after) over (partition by q.user_id order by q.seq), 0) as balance_before
    from (
      -- Few and short columns, because a check of everything sorts them.
      select l.user_id, l.seq, l.change, l.balance_after,
        case when l.reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed') then l.change else 0 end as earned,
        l.reason = 'initial_grant' as is_grant,
        l.balance_after < 0 and l.change < 0 and l.reason not in ('apple_refund', 'store_refund', 'account_merge') as is_debt
      from public.quota_log l
      where l.user_id > p_after and l.user_id <= p_until
      -- Not merged with the query around it, which would sort the reasons too.
      offset 0
    ) q
  ), summed as (
    select l.user_id, sum(l.change) as total, sum(l.earned) as earned, count(*) filter (where l.is_grant) as grants,
      min(l.seq) filter (where l.balance_after <> l.balance_before::bigint + l.change) as broken_seq,
      min(l.seq) filter (where l.is_debt) as debt_seq
    from ledger l
    group by l.user_id
  ), arrived as (
    select g.survivor_id, sum(g.credits_total) as credits_total
    from public.merged_users g
    where g.survivor_id > p_after and g.survivor_id <= p_until
    group by g.survivor_id
  ), compared as (
    select u.id, u.credits_remaining, u.credits_total, coalesce(s.total, 0) as total, coalesce(s.earned, 0) as earned,
      coalesce(s.grants, 0) as grants, s.broken_seq, s.debt_seq,
      coalesce(a.credits_total, 0) - coalesce(gone.credits_total, 0) as merged
    from public.users u
    left join summed s on s.user_id = u.id
    left join arrived a on a.survivor_id = u.id
    left join public.merged_users gone on gone.user_id = u.id
    where u.id > p_after and u.id <= p_until
  )
  select v.*
  from compared c
  cross join lateral (
    select 'a balance equals the sum of its ledger rows', c.id,
      jsonb_build_object('balance', c.credits_remaining, 'sum', c.total)
    where c.credits_remaining <> c.total
    union all
    select 'the lifetime total counts grants and purchases', c.id,
      jsonb_build_object('credits_total', c.credits_total, 'sum', c.earned, 'merged', c.merged)
    where c.credits_total <> c.earned + c.merged
    union all
    select 'an account has one initial grant', c.id, jsonb_build_object('grants', c.grants)
    where c.grants > 1
    union all
    -- The first row of an account with which it does not add up.
    select 'every row carries the balance after it', q.id,
      jsonb_build_object(
        'user_id', c.id, 'balance_after', q.balance_after, 'change', q.change,
        'balance_before', coalesce(
          (
            select o.balance_after
            from public.quota_log o
            where o.user_id = c.id and o.seq < q.seq
            order by o.seq desc
            limit 1
          ),
          0
        )
      )
    from public.quota_log q
    where q.user_id = c.id and q.seq = c.broken_seq
    union all
    select 'nothing but a store''s refund leaves a debt', q.id,
      jsonb_build_object('user_id', c.id, 'reason', q.reason, 'change', q.change, 'balance_after', q.balance_after)
    from public.quota_log q
    where q.user_id = c.id and q.seq = c.debt_seq
  ) v
  where c.credits_remaining <> c.total or c.credits_total <> c.earned + c.merged or c.grants > 1
    or c.broken_seq is not null or c.debt_seq is not null;

  return query
  select 'a merged guest keeps nothing', g.user_id,
    jsonb_build_object('survivor', g.survivor_id, 'balance', coalesce(u.credits_remaining, 0), 'is_deleted', u.deleted_at is not null)
  from public.merged_users g
  left join public.users u on u.id = g.user_id
  where g.user_id > p_after and g.user_id <= p_until
    and (
      u.id is null
      or u.deleted_at is null
      or u.credits_remaining <> 0
      or exists (select from public.job_counters c where c.user_id = g.user_id and c.jobs <> 0)
    );

  return query
  select 'a merge moves what it takes', s.id, jsonb_build_object('arrived', m.arrived, 'left', m.gone)
  from (
    select distinct survivor_id as id from public.merged_users where survivor_id > p_after and survivor_id <= p_until
  ) s
  cross join lateral (
    select
      coalesce((select sum(q.change) from public.quota_log q where q.user_id = s.id and q.reason = 'account_merge'), 0) as arrived,
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
end
$$;
