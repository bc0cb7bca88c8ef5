-- Schedules another submit, because the last attempt was not accepted. A submit calls this as its last step, so that two
-- submits of one job never run at the same time.
create or replace function public.schedule_submit(p_job_id uuid, p_delay_ms integer) returns void
language sql
security definer
set search_path = ''
as $$
  select public.enqueue(
    'submit_generation', json_build_object('job_id', p_job_id), 'submit:' || p_job_id, p_delay_ms
  )
$$;
