-- Schedules the clean-up of a job that has ended: cancel it at the provider, and delete files that are no longer needed.
create or replace function public.schedule_cleanup(p_job_id uuid, p_delay_ms integer default 0) returns void
language sql
security definer
set search_path = ''
as $$
  select public.enqueue(
    'clean_up_generation', json_build_object('job_id', p_job_id), 'clean_up:' || p_job_id, p_delay_ms, 25
  )
$$;
