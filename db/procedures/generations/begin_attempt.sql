-- Claims the right to send a job to its provider. `claimed`: nothing was sent before. `resumed`: a worker died during this
-- attempt, the request may have been sent. `attempt` counts from 1.
-- @returns {outcome: 'claimed' | 'resumed', attempt_id: string, attempt: number}
--   | {outcome: 'unknown' | 'declined' | 'submitted' | 'final' | 'not_found'}
create or replace function public.begin_attempt(p_job_id uuid) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs := public.lock_job(p_job_id);
  v_attempt public.provider_attempts;
begin
  if v_job.job_id is null then
    return jsonb_build_object('outcome', 'not_found');
  elsif v_job.completed_at is not null then
    return jsonb_build_object('outcome', 'final');
  elsif v_job.status = 'processing' then
    return jsonb_build_object('outcome', 'submitted');
  end if;

  select * into v_attempt
  from public.provider_attempts
  where job_id = p_job_id
  order by attempt desc
  limit 1
  for update;
  if v_attempt.state = 'submitting' then
    return jsonb_build_object('outcome', 'resumed', 'attempt_id', v_attempt.id, 'attempt', v_attempt.attempt);
  elsif v_attempt.state in ('unknown', 'declined') then
    return jsonb_build_object('outcome', v_attempt.state);
  end if;

  insert into public.provider_attempts (job_id, user_id, attempt, provider, provider_model_id)
  values (p_job_id, v_job.user_id, coalesce(v_attempt.attempt, 0) + 1, v_job.provider, v_job.provider_model_id)
  returning * into v_attempt;
  return jsonb_build_object('outcome', 'claimed', 'attempt_id', v_attempt.id, 'attempt', v_attempt.attempt);
end
$$;
