-- The violations that some changes show: of the ledger rows with `p_after_seq` < seq <= `p_until_seq`, of the jobs that ended between
-- `p_after` and `p_until`, and of their users, lots and purchases. Costs what the changes cost, however many rows there are: what was
-- checked before is taken as right, so that a new row need only follow from the one before it. The rules are those of broken_invariants.
create or replace function public.broken_by_changes(
  p_after_seq bigint,
  p_until_seq bigint,
  p_after timestamptz,
  p_until timestamptz
) returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
set plan_cache_mode = force_custom_plan
-- Right after a large import, before its statistics are known, too.
set enable_seqscan = off
as $$
declare
  v_jobs uuid[];
  v_users uuid[];
begin
  v_jobs := array(
    select q.job_id from public.quota_log q where q.seq > p_after_seq and q.seq <= p_until_seq and q.job_id is not null
    union
    select j.job_id from public.video_jobs j where j.completed_at > p_after and j.completed_at <= p_until
  );
  v_users := array(
    select q.user_id from public.quota_log q where q.seq > p_after_seq and q.seq <= p_until_seq
    union
    select j.user_id from unnest(v_jobs) t (job_id) join public.video_jobs j on j.job_id = t.job_id
    union
    select x.id
    from public.merged_users g
    cross join lateral (values (g.user_id), (g.survivor_id)) x (id)
    where g.merged_at > p_after and g.merged_at <= p_until
  );
  return query select * from public.broken_by_rows(p_after_seq, p_until_seq);
  return query select * from public.broken_by_jobs(v_jobs);
  return query select * from public.broken_by_users(v_users);
end
$$;
