-- pending | processing → failed, with the charge refunded, once. False: the job is already final. `p_reason` selects one of the
-- code's messages for the owner; `p_cause` is for operators.
create or replace function public.fail_generation(
  p_job_id uuid,
  p_error_code text,
  p_cause text default null,
  p_reason text default null
) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs := public.lock_job(p_job_id);
begin
  if v_job.job_id is null or v_job.status not in ('pending', 'processing') then
    return false;
  end if;
  update public.video_jobs
  set status = 'failed',
      error_code = p_error_code,
      error_reason = p_reason,
      queue_position = null,
      completed_at = clock_timestamp()
  where job_id = p_job_id and status in ('pending', 'processing');

  -- The refund is read from the charge, so they are equal; a unique index allows one refund per job.
  perform public.apply_credits(v_job.user_id, -q.change, 'generation_failed_refund', p_job_id, null)
  from public.quota_log q
  where q.job_id = p_job_id and q.reason = 'video_generation';

  perform public.emit_event(
    v_job.user_id,
    'failed',
    p_job_id,
    jsonb_strip_nulls(
      jsonb_build_object('error_code', p_error_code, 'reason', p_reason, 'refunded', v_job.credits_used)
    )
  );
  if p_error_code <> 'ERR_5004' then
    perform public.schedule_pushes(v_job.user_id, p_job_id, 'video_failed');
  end if;
  perform public.schedule_webhook(
    v_job.user_id,
    'video.failed',
    jsonb_build_object(
      'user_id', v_job.user_id, 'job_id', p_job_id, 'model_id', v_job.model_id, 'error_code', p_error_code,
      'credits_refunded', v_job.credits_used
    )
  );
  perform public.log_error(
    v_job.user_id,
    p_error_code,
    'generation',
    jsonb_build_object('job_id', p_job_id, 'provider', v_job.provider),
    jsonb_build_object('cause', p_cause, 'request_id', v_job.request_id)
  );
  perform public.schedule_cleanup(p_job_id);
  return true;
end
$$;
