-- Cancels and refunds a generation that has not ended, by an administrator's decision: without the owner's limit, and also while
-- its finished video is being delivered. The queue cancels it at the vendor. `final`: the job has ended.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found'}
--   | {outcome: 'final', status: string}
create or replace function public.admin_cancel_job(p_by jsonb, p_job_id uuid, p_reason text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_cancel_job');
  v_job public.video_jobs;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  v_job := public.lock_job(p_job_id);
  if v_job.job_id is null then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  if not public.fail_generation(p_job_id, 'ERR_5004') then
    return jsonb_build_object('outcome', 'final', 'status', v_job.status);
  end if;
  return public.finish_admin_action(
    p_by, 'admin_cancel_job', 'job_cancel', p_reason,
    jsonb_build_object(
      'user_id', v_job.user_id,
      'job_id', p_job_id,
      'amount', v_job.credits_used,
      'details', jsonb_build_object('status', v_job.status)
    ),
    jsonb_build_object('success', true, 'refunded', v_job.credits_used)
  );
end
$$;
