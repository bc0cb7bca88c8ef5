-- Cancels a generation for its owner and refunds it. With a key, a repeat gets the first response. `final`: the job has ended,
-- or its video is made. The vendor bills what it has begun, so of jobs that were sent and not known as `p_is_begun` = false
-- only `p_limit_refunded` an hour are refunded to an account; null: no limit.
-- @returns {outcome: 'cancelled' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'key_reused' | 'not_found'}
--   | {outcome: 'final', status: string}
--   | {
--     outcome: 'rate_limited', limit: number, window_seconds: number, remaining: number, reset_seconds: number, allowed: boolean
--   }
create or replace function public.cancel_generation(
  p_user_id uuid,
  p_job_id uuid,
  p_idempotency_key uuid default null,
  p_request_hash text default null,
  p_limit_refunded integer default null,
  p_is_begun boolean default true
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs;
  v_earlier jsonb;
  v_state jsonb;
  v_response jsonb;
begin
  p_user_id := (public.lock_account(p_user_id)).id;
  v_earlier := public.find_response(p_user_id, p_idempotency_key, 'cancel_video_job', p_request_hash);
  if v_earlier is not null then
    return v_earlier;
  end if;

  select * into v_job
  from public.video_jobs
  where job_id = p_job_id and user_id = p_user_id and deleted_at is null
  for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  -- A provider that has made the video has billed it: nothing is left to cancel, and the video is being delivered.
  if v_job.completed_at is not null or public.is_made(p_job_id) then
    return jsonb_build_object('outcome', 'final', 'status', v_job.status);
  end if;
  if p_is_begun and exists (
    select from public.provider_attempts where job_id = p_job_id and state in ('submitting', 'accepted', 'unknown')
  ) then
    v_state := public.rate_limit_state('refunded_cancels', p_user_id, null, p_limit_refunded, interval '1 hour');
    if not (v_state ->> 'allowed')::boolean then
      return jsonb_build_object('outcome', 'rate_limited') || v_state;
    end if;
    insert into public.rate_limit_log (action, user_id) values ('refunded_cancels', p_user_id);
  end if;
  perform public.fail_generation(p_job_id, 'ERR_5004');

  select jsonb_build_object(
    'success', true, 'refunded', v_job.credits_used, 'credits_remaining', u.credits_remaining
  )
  into v_response
  from public.users u
  where u.id = p_user_id;
  if p_idempotency_key is not null then
    perform public.store_response(
      p_user_id, p_idempotency_key, 'cancel_video_job', p_request_hash, v_response, p_job_id
    );
  end if;
  return jsonb_build_object('outcome', 'cancelled', 'status_code', 200, 'response', v_response);
end
$$;
