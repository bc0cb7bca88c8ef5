-- The violations that some generations show, and any that should have ended: see broken_by_changes.
create or replace function public.broken_by_jobs(p_jobs uuid[]) returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  return query
  select v.*
  from unnest(p_jobs) t (job_id)
  join public.video_jobs j on j.job_id = t.job_id
  cross join lateral (
    select
      count(*) filter (where q.reason = 'video_generation') as charges,
      -coalesce(sum(q.change) filter (where q.reason = 'video_generation'), 0) as charged,
      count(*) filter (where q.reason = 'generation_failed_refund') as refunds,
      coalesce(sum(q.change) filter (where q.reason = 'generation_failed_refund'), 0) as refunded,
      count(*) filter (where coalesce(g.survivor_id, q.user_id) <> j.user_id) as others
    from public.quota_log q
    left join public.merged_users g on g.user_id = q.user_id
    where q.job_id = j.job_id and q.reason in ('video_generation', 'generation_failed_refund')
  ) m
  cross join lateral (
    select 'a generation has one charge, of its price', j.job_id,
      jsonb_build_object(
        'user_id', j.user_id, 'credits_used', j.credits_used, 'charged', m.charged, 'charges', m.charges, 'of_others', m.others
      )
    where m.charges <> 1 or m.charged <> j.credits_used or m.others <> 0
    union all
    select 'a failed generation has its credits back, once, and no other has', j.job_id,
      jsonb_build_object(
        'user_id', j.user_id, 'status', j.status, 'credits_used', j.credits_used, 'refunds', m.refunds, 'refunded', m.refunded
      )
    where (j.status = 'failed' and (m.refunds <> 1 or m.refunded <> j.credits_used)) or (j.status <> 'failed' and m.refunds <> 0)
    union all
    select 'a refund goes back to the lots that paid', j.job_id,
      jsonb_build_object('user_id', j.user_id, 'lot', l.lot_id, 'paid', l.paid, 'returned', l.returned)
    from (
      select o.lot_id, -coalesce(sum(o.change) filter (where o.change < 0), 0) as paid,
        coalesce(sum(o.change) filter (where o.change > 0), 0) as returned
      from public.lot_movements o
      where o.job_id = j.job_id
      group by o.lot_id
    ) l
    where m.refunds > 0 and l.paid <> l.returned
  ) v;

  return query
  select 'a generation ends within a day of its deadline', j.job_id,
    jsonb_build_object('user_id', j.user_id, 'status', j.status, 'deadline_at', j.deadline_at)
  from public.video_jobs j
  where j.status in ('pending', 'processing') and j.deadline_at < now() - interval '1 day'
  order by j.deadline_at
  limit 1000;
end
$$;
