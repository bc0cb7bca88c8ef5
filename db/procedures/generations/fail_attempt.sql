-- Closes an attempt that was not accepted (`retryable` for the last time, or `declined`) and fails its job, as fail_generation
-- does, in one transaction: a crash between the two would leave a job without the reason for its failure.
-- `final`: the job had already ended. `closed`: the attempt was already closed; the job goes on.
-- @returns {outcome: 'failed' | 'final' | 'closed'}
create or replace function public.fail_attempt(
  p_attempt_id uuid,
  p_state text,
  p_error_code text,
  p_cause text,
  p_reason text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs;
  -- The previous version sends `refused` and `rejected`.
  v_state text := case p_state when 'refused' then 'retryable' when 'rejected' then 'declined' else p_state end;
begin
  if v_state is null or v_state not in ('retryable', 'declined') then
    raise exception 'an attempt that is % fails no job', p_state using errcode = 'invalid_parameter_value';
  end if;
  v_job := public.lock_job((select job_id from public.provider_attempts where id = p_attempt_id));
  update public.provider_attempts
  set state = v_state, error = left(p_cause, 4000), closed_at = clock_timestamp()
  where id = p_attempt_id and state = 'submitting';
  if not found then
    return jsonb_build_object('outcome', 'closed');
  end if;
  return jsonb_build_object(
    'outcome',
    case when public.fail_generation(v_job.job_id, p_error_code, p_cause, p_reason) then 'failed' else 'final' end
  );
end
$$;
