-- What providers tell us by themselves. An event is a hint that makes us look sooner; looking decides.

-- Sees to it that what a verified event concerns is looked at, and records the event, once. One that names no job of ours
-- leaves nothing behind: vendors sign for all their customers, and any of those may send events here.
-- `p_providers`: an array of those for whom its sender may speak. Returns {outcome: recorded, effect} | {outcome: repeated} |
-- {outcome: foreign}; effects as the table tells them.
create or replace function public.record_provider_event(
  p_sender text,
  p_event_key text,
  p_providers jsonb,
  p_job_id uuid,
  p_provider_job_id text
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
    -- Locked, so that a submit that is just being written down is seen with its answer.
    v_job := public.lock_job(p_job_id);
    if not p_providers ? v_job.provider then
      v_job := null;
    end if;
  end if;
  if v_job.job_id is null then
    return jsonb_build_object('outcome', 'foreign');
  end if;

  if v_job.status = 'processing' and v_job.provider_job_id = p_provider_job_id then
    -- Once the provider has said that the video is made, a task has it in hand until it is here: a second would fetch it twice.
    if not exists (
      select from public.provider_attempts where job_id = v_job.job_id and state = 'accepted' and result = 'completed'
    ) then
      v_effect := 'woke';
    end if;
  elsif p_provider_job_id is not null and exists (
    select from public.provider_attempts where job_id = v_job.job_id and state in ('submitting', 'unknown')
  ) then
    v_effect := 'unconfirmed';
  end if;

  insert into public.provider_events (sender, event_key, job_id, provider_job_id, effect)
  values (p_sender, p_event_key, p_job_id, p_provider_job_id, v_effect)
  on conflict (sender, event_key) do nothing;
  if not found then
    return jsonb_build_object('outcome', 'repeated');
  end if;
  if v_effect = 'woke' then
    perform public.schedule_settle(v_job.job_id, 0);
  elsif v_effect = 'unconfirmed' then
    perform public.schedule_confirm(v_job.job_id, p_provider_job_id, 0);
  end if;
  return jsonb_build_object('outcome', 'recorded', 'effect', v_effect);
end
$$;

-- Asks the provider, after a while, whether a job that an event names is ours: signed events of a vendor may be about any
-- of its customers' jobs. `p_look` counts the questions that were answered.
create or replace function public.schedule_confirm(
  p_job_id uuid,
  p_provider_job_id text,
  p_delay_ms integer,
  p_look integer default 1
) returns void
language sql
security definer
set search_path = ''
as $$
  select graphile_worker.add_job(
    'confirm_attempt',
    json_build_object('job_id', p_job_id, 'provider_job_id', p_provider_job_id, 'look', p_look),
    run_at := clock_timestamp() + make_interval(secs => greatest(p_delay_ms, 0) / 1000.0),
    max_attempts := 1000,
    job_key := 'confirm:' || p_job_id || ':' || md5(p_provider_job_id)
  )
$$;

-- The provider has said, asked with our key, that it has the job under this id: the attempt that nobody could tell the
-- outcome of is the one. Returns {outcome} as mark_submitted does, or none where no such attempt is open.
create or replace function public.confirm_attempt(p_job_id uuid, p_provider_job_id text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_attempt_id uuid;
begin
  perform public.lock_job(p_job_id);
  select id into v_attempt_id
  from public.provider_attempts
  where job_id = p_job_id and state in ('submitting', 'unknown');
  if not found then
    return jsonb_build_object('outcome', 'none');
  end if;
  return public.mark_submitted(p_job_id, v_attempt_id, p_provider_job_id, p_provider_job_id);
end
$$;

-- What came of the attempt that the provider had accepted: completed | failed | stopped. Written once.
create or replace function public.end_attempt(p_job_id uuid, p_result text, p_error text, p_cost_usd numeric)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.provider_attempts
  set result = p_result,
      result_error = left(p_error, 4000),
      -- What is no price of a video is nothing that the column could hold, either.
      vendor_cost_usd = case when p_cost_usd between 0 and 99999 then p_cost_usd end,
      ended_at = clock_timestamp()
  where job_id = p_job_id and state = 'accepted' and result is null;
  return found;
end
$$;
