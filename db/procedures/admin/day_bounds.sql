-- How far the next count of the days goes: at most `p_limit` rows of each kind behind what is counted, and no further than the other
-- arguments. `is_limited`: there are more.
create or replace function public.day_bounds(p_limit integer, p_ledger_seq bigint, p_error_id bigint, p_time timestamptz)
returns table (ledger_seq bigint, error_id bigint, jobs_at timestamptz, attempts_at timestamptz, is_limited boolean)
language sql
rows 1
stable
security definer
set search_path = ''
set jit = off
as $$
  select
    case when l.rows < p_limit then greatest(p.ledger_seq, p_ledger_seq) else l.until end,
    case when e.rows < p_limit then greatest(p.error_id, p_error_id) else e.until end,
    case when j.rows < p_limit then greatest(p.jobs_at, p_time) else j.until end,
    case when a.rows < p_limit then greatest(p.attempts_at, p_time) else a.until end,
    greatest(l.rows, e.rows, j.rows, a.rows) >= p_limit
  from public.day_progress p
  cross join lateral (
    select count(*) as rows, max(r.seq) as until
    from (select seq from public.quota_log where seq > p.ledger_seq and seq <= p_ledger_seq order by seq limit p_limit) r
  ) l
  cross join lateral (
    select count(*) as rows, max(r.id) as until
    from (select id from public.error_log where id > p.error_id and id <= p_error_id order by id limit p_limit) r
  ) e
  cross join lateral (
    select count(*) as rows, max(r.completed_at) as until
    from (
      select completed_at
      from public.video_jobs
      where completed_at > p.jobs_at and completed_at <= p_time
      order by completed_at
      limit p_limit
    ) r
  ) j
  cross join lateral (
    select count(*) as rows, max(r.ended_at) as until
    from (
      select ended_at
      from public.provider_attempts
      where ended_at > p.attempts_at and ended_at <= p_time
      order by ended_at
      limit p_limit
    ) r
  ) a
$$;
