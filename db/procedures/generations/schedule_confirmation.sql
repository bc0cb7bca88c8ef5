-- Schedules the question to the provider whether the job that an event names is ours: a vendor signs the events of all its
-- customers alike. `p_try` counts the answers so far, from 1.
create or replace function public.schedule_confirmation(
  p_job_id uuid,
  p_provider_job_id text,
  p_delay_ms integer,
  p_try integer default 1
) returns void
language sql
security definer
set search_path = ''
as $$
  select public.enqueue(
    'confirm_attempt',
    json_build_object('job_id', p_job_id, 'provider_job_id', p_provider_job_id, 'try', p_try),
    'confirm:' || p_job_id || ':' || md5(p_provider_job_id),
    p_delay_ms
  )
$$;
