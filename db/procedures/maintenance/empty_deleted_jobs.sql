-- Empties the texts of up to `p_limit` jobs that were deleted more than 30 days ago, the oldest first. The rows stay: charges and
-- refunds name them. Returns how many, and from where to go on; null: it is done.
-- @returns {rows: number, next: string | null}
create or replace function public.empty_deleted_jobs(p_limit integer default 30, p_after timestamptz default null)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_jobs uuid[];
  v_next timestamptz;
begin
  select array_agg(job_id), max(deleted_at) into v_jobs, v_next
  from (
    select job_id, deleted_at
    from public.video_jobs
    where deleted_at < now() - interval '30 days'
      and deleted_at >= coalesce(p_after, '-infinity')
      and prompt <> '[deleted]'
    order by deleted_at
    limit p_limit
    for update skip locked
  ) old;
  update public.video_jobs
  set prompt = '[deleted]', image_url = null, error_message = null
  where job_id = any (v_jobs);
  -- A vendor's message may quote the prompt.
  update public.provider_attempts
  set error = null, result_error = null
  where job_id = any (v_jobs) and (error is not null or result_error is not null);
  delete from public.shares where job_id = any (v_jobs);
  return jsonb_build_object(
    'rows', coalesce(cardinality(v_jobs), 0),
    'next', case when cardinality(v_jobs) >= p_limit then v_next end
  );
end
$$;
