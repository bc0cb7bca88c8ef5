-- The provider has accepted the job: pending → processing, under the provider's id; also from an attempt whose outcome was
-- unknown. `superseded`: the job already has another id, from an event. `taken`: another of our jobs has this id.
-- @returns {outcome: 'submitted' | 'already' | 'superseded' | 'final' | 'taken' | 'not_found'}
create or replace function public.mark_submitted(
  p_job_id uuid,
  p_attempt_id uuid,
  p_provider_job_id text,
  p_vendor_request_id text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs := public.lock_job(p_job_id);
begin
  if v_job.job_id is null then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  -- Looked up in the attempts: they also hold the ids of jobs that had ended before we knew the id.
  if exists (
    select from public.provider_attempts
    where provider = v_job.provider and provider_job_id = p_provider_job_id and job_id <> p_job_id
  ) then
    return jsonb_build_object('outcome', 'taken');
  end if;

  update public.provider_attempts
  set state = 'accepted',
      provider_job_id = p_provider_job_id,
      vendor_request_id = p_vendor_request_id,
      closed_at = clock_timestamp()
  where id = p_attempt_id and job_id = p_job_id and state in ('submitting', 'unknown');

  if v_job.completed_at is not null then
    -- The video is no longer needed. A task cancels it at the provider, so that a crash of the caller cannot prevent that.
    if v_job.status = 'failed' and v_job.provider_job_id is null then
      update public.video_jobs set provider_job_id = p_provider_job_id where job_id = p_job_id;
      perform public.schedule_cleanup(p_job_id);
    end if;
    return jsonb_build_object('outcome', 'final');
  elsif v_job.status = 'processing' then
    return jsonb_build_object(
      'outcome', case when v_job.provider_job_id = p_provider_job_id then 'already' else 'superseded' end
    );
  end if;

  update public.video_jobs
  set status = 'processing', provider_job_id = p_provider_job_id, submitted_at = clock_timestamp()
  where job_id = p_job_id and status = 'pending';
  perform public.emit_event(
    v_job.user_id, 'processing', p_job_id, jsonb_build_object('progress', null, 'queue_position', null)
  );
  perform public.enqueue('poll_generation', json_build_object('job_id', p_job_id), 'poll:' || p_job_id);
  return jsonb_build_object('outcome', 'submitted');
end
$$;
