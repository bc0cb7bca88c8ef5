-- Records a verified event once, and schedules a poll or a confirmation of the job that it names. An event that names none of
-- our jobs leaves no row: a vendor signs the events of all its customers, and any of them can have events sent here.
-- `p_providers`: the providers that the sender may report about. Effects as in the table provider_events.
-- @returns {outcome: 'recorded', effect: 'woke' | 'unconfirmed' | 'ignored'} | {outcome: 'repeated' | 'foreign'}
create or replace function public.record_provider_event(
  p_sender text,
  p_event_key text,
  p_providers jsonb,
  p_job_id uuid default null,
  p_provider_job_id text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs;
  v_effect text := 'ignored';
begin
  select * into v_job
  from public.video_jobs
  where provider in (select jsonb_array_elements_text(p_providers)) and provider_job_id = p_provider_job_id;
  if not found and p_job_id is not null then
    -- Locked, so that a submit that is being stored at this moment is visible with its answer.
    v_job := public.lock_job(p_job_id);
    if not p_providers ? v_job.provider then
      v_job := null;
    end if;
  end if;
  if v_job.job_id is null then
    return jsonb_build_object('outcome', 'foreign');
  end if;

  if v_job.status = 'processing' and v_job.provider_job_id = p_provider_job_id then
    -- Once the video is made, a task is delivering it: a second task would fetch it twice.
    if not public.is_made(v_job.job_id) then
      v_effect := 'woke';
    end if;
  elsif p_provider_job_id is not null and exists (
    select from public.provider_attempts where job_id = v_job.job_id and state in ('submitting', 'unknown')
  ) then
    v_effect := 'unconfirmed';
  end if;

  insert into public.provider_events (sender, event_key, job_id, user_id, provider_job_id, effect)
  values (p_sender, p_event_key, v_job.job_id, v_job.user_id, p_provider_job_id, v_effect)
  on conflict (sender, event_key) do nothing;
  if not found then
    return jsonb_build_object('outcome', 'repeated');
  end if;
  if v_effect = 'woke' then
    perform public.schedule_poll(v_job.job_id, 0);
  elsif v_effect = 'unconfirmed' then
    perform public.schedule_confirmation(v_job.job_id, p_provider_job_id, 0);
  end if;
  return jsonb_build_object('outcome', 'recorded', 'effect', v_effect);
end
$$;
