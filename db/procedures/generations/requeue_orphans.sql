-- Requeues every unfinished job that has no queue task. A safety net: tasks are added in the transaction that makes them
-- necessary. Returns how many were requeued.
create or replace function public.requeue_orphans(p_limit integer default 100) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job record;
  v_count integer := 0;
begin
  for v_job in
    select j.job_id, case j.status when 'pending' then 'submit' else 'poll' end as task
    from public.video_jobs j
    where j.status in ('pending', 'processing')
      and j.deadline_at > now()
      and j.created_at < now() - interval '30 seconds'
      and not exists (
        select from graphile_worker.jobs q where q.key in ('submit:' || j.job_id, 'poll:' || j.job_id)
      )
      -- It is unknown whether the provider has this job: an event or the deadline decides.
      and not exists (
        select from public.provider_attempts a where a.job_id = j.job_id and a.state = 'unknown'
      )
    limit p_limit
  loop
    perform public.enqueue(
      v_job.task || '_generation', json_build_object('job_id', v_job.job_id), v_job.task || ':' || v_job.job_id
    );
    v_count := v_count + 1;
  end loop;
  -- The queue waits longer after each failure, up to hours; a paid generation cannot wait that long.
  perform graphile_worker.reschedule_jobs(array_agg(q.id), run_at := clock_timestamp(), attempts := 0)
  from graphile_worker.jobs q
  where q.task_identifier in ('submit_generation', 'poll_generation')
    and q.locked_at is null
    and q.attempts > 2
    and q.run_at > now() + interval '15 seconds'
  having count(*) > 0;
  return v_count;
end
$$;
