-- Schedules the next poll of the provider. A poll that is due sooner stays: an event may have arrived during the last one.
create or replace function public.schedule_poll(p_job_id uuid, p_delay_ms integer) returns void
language sql
security definer
set search_path = ''
as $$
  select public.enqueue('poll_generation', json_build_object('job_id', p_job_id), 'poll:' || p_job_id, p_delay_ms)
  where not exists (
    select from graphile_worker.jobs q
    where q.key = 'poll:' || p_job_id
      and q.locked_at is null
      and q.attempts = 0
      and q.run_at <= clock_timestamp() + make_interval(secs => greatest(p_delay_ms, 0) / 1000.0)
  )
$$;
