-- The violations that the balances of some users show, which were right before their last changes: see broken_by_changes.
create or replace function public.broken_by_users(p_users uuid[]) returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  return query
  select v.*
  from unnest(p_users) t (id)
  join public.users u on u.id = t.id
  left join public.merged_users g on g.user_id = u.id
  cross join lateral (
    select
      coalesce((select q.balance_after from public.quota_log q where q.user_id = u.id order by q.seq desc limit 1), 0) as newest,
      coalesce((select sum(c.remaining) from public.credit_lots c where c.user_id = u.id and c.is_open), 0) as held,
      coalesce(
        (
          select sum(q.change)
          from public.quota_log q
          where q.user_id = u.id and q.reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed')
        ),
        0
      ) as earned,
      coalesce((select sum(a.credits_total) from public.merged_users a where a.survivor_id = u.id), 0)
      - coalesce(g.credits_total, 0) as merged
  ) m
  cross join lateral (
    select 'a balance equals the sum of its ledger rows', u.id,
      jsonb_build_object('balance', u.credits_remaining, 'sum', m.newest)
    where u.credits_remaining <> m.newest
    union all
    select 'lots hold the balance', u.id, jsonb_build_object('balance', u.credits_remaining, 'held', m.held)
    where m.held <> greatest(u.credits_remaining, 0)
    union all
    select 'the lifetime total counts grants and purchases', u.id,
      jsonb_build_object('credits_total', u.credits_total, 'sum', m.earned, 'merged', m.merged)
    where u.credits_total <> m.earned + m.merged
    union all
    select 'a merged guest keeps nothing', u.id,
      jsonb_build_object('survivor', g.survivor_id, 'balance', coalesce(u.credits_remaining, 0), 'is_deleted', u.deleted_at is not null)
    where g.user_id is not null
      and (
        u.deleted_at is null
        or u.credits_remaining <> 0
        or exists (select from public.job_counters c where c.user_id = u.id and c.jobs <> 0)
      )
  ) v;

  return query
  select 'a merge moves what it takes', t.id, jsonb_build_object('arrived', m.arrived, 'left', m.gone)
  from unnest(p_users) t (id)
  cross join lateral (
    select
      coalesce((select sum(q.change) from public.quota_log q where q.user_id = t.id and q.reason = 'account_merge'), 0) as arrived,
      -coalesce(
        (
          select sum(q.change)
          from public.merged_users g
          join public.quota_log q on q.user_id = g.user_id and q.reason = 'account_merge'
          where g.survivor_id = t.id
        ),
        0
      ) as gone
  ) m
  where m.arrived <> m.gone and not exists (select from public.merged_users g where g.user_id = t.id);

  -- Of jobs that run: by these counters more are refused. Those of ended jobs are left to the check of everything.
  return query
  select 'job counters say what the jobs say', t.id,
    jsonb_build_object('status', s.status, 'kept', m.kept, 'counted', m.counted)
  from unnest(p_users) t (id)
  cross join (values ('pending'), ('processing')) s (status)
  cross join lateral (
    select
      coalesce((select c.jobs from public.job_counters c where c.user_id = t.id and c.status = s.status), 0) as kept,
      (
        select count(*)
        from public.video_jobs j
        where j.user_id = t.id and j.status = s.status and j.deleted_at is null
      ) as counted
  ) m
  where m.kept <> m.counted;
end
$$;
