-- What is wrong with the charges and refunds of the generations of a range of users: see broken_invariants.
create or replace function public.broken_generations(p_after uuid, p_until uuid)
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
  with jobs as materialized (
    -- Each half has an index of its own.
    select j.job_id, j.user_id, j.status, j.credits_used, j.deadline_at
    from public.video_jobs j
    where j.deleted_at is null and j.user_id > p_after and j.user_id <= p_until
    union all
    select j.job_id, j.user_id, j.status, j.credits_used, j.deadline_at
    from public.video_jobs j
    where j.deleted_at is not null and j.user_id > p_after and j.user_id <= p_until
  ), compared as materialized (
    select j.*, m.*
    from jobs j
    cross join lateral (
      select
        count(*) filter (where q.reason = 'video_generation') as charges,
        -coalesce(sum(q.change) filter (where q.reason = 'video_generation'), 0) as charged,
        count(*) filter (where q.reason = 'generation_failed_refund') as refunds,
        coalesce(sum(q.change) filter (where q.reason = 'generation_failed_refund'), 0) as refunded,
        -- A merged guest's rows stay in its ledger, while its jobs are the survivor's.
        count(*) filter (where coalesce(g.survivor_id, q.user_id) <> j.user_id) as others
      from public.quota_log q
      left join public.merged_users g on g.user_id = q.user_id
      where q.job_id = j.job_id and q.reason in ('video_generation', 'generation_failed_refund')
    ) m
  )
  select 'a generation has one charge, of its price', c.job_id,
    jsonb_build_object(
      'user_id', c.user_id, 'credits_used', c.credits_used, 'charged', c.charged, 'charges', c.charges, 'of_others', c.others
    )
  from compared c
  where c.charges <> 1 or c.charged <> c.credits_used or c.others <> 0
  union all
  select 'a failed generation has its credits back, once, and no other has', c.job_id,
    jsonb_build_object(
      'user_id', c.user_id, 'status', c.status, 'credits_used', c.credits_used, 'refunds', c.refunds, 'refunded', c.refunded
    )
  from compared c
  where (c.status = 'failed' and (c.refunds <> 1 or c.refunded <> c.credits_used))
    or (c.status <> 'failed' and c.refunds <> 0)
  union all
  select 'a refund goes back to the lots that paid', c.job_id,
    jsonb_build_object('user_id', c.user_id, 'lot', l.lot_id, 'paid', l.paid, 'returned', l.returned)
  from compared c
  cross join lateral (
    select m.lot_id, -coalesce(sum(m.change) filter (where m.change < 0), 0) as paid,
      coalesce(sum(m.change) filter (where m.change > 0), 0) as returned
    from public.lot_movements m
    where m.job_id = c.job_id
    group by m.lot_id
  ) l
  where c.refunds > 0 and l.paid <> l.returned
  union all
  select 'a generation ends within a day of its deadline', c.job_id,
    jsonb_build_object('user_id', c.user_id, 'status', c.status, 'deadline_at', c.deadline_at)
  from compared c
  where c.status in ('pending', 'processing') and c.deadline_at < now() - interval '1 day';

  return query
  select 'job counters say what the jobs say', coalesce(k.user_id, n.user_id),
    jsonb_build_object(
      'status', coalesce(k.status, n.status), 'kept', coalesce(k.jobs, 0), 'counted', coalesce(n.jobs, 0)
    )
  from (
    select c.* from public.job_counters c where c.user_id > p_after and c.user_id <= p_until
  ) k
  full join (
    select j.user_id, j.status, count(*) as jobs
    from public.video_jobs j
    where j.deleted_at is null and j.user_id > p_after and j.user_id <= p_until
    group by j.user_id, j.status
  ) n on n.user_id = k.user_id and n.status = k.status
  where coalesce(k.jobs, 0) <> coalesce(n.jobs, 0);
end
$$;
