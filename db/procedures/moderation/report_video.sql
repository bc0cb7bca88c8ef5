-- Stores what an account reports about a video: one of its own, by the job's id, or a shared one, by the link's token. A report about the
-- same video by the same account changes nothing, and does not count. An account may make `p_limit` an hour.
-- @returns {outcome: 'reported', report_id: string, job_id: string} | {outcome: 'repeated' | 'not_found' | 'user_not_found'}
--   | {
--     outcome: 'rate_limited', limit: number, window_seconds: number, remaining: number, reset_seconds: number, allowed: boolean
--   }
create or replace function public.report_video(
  p_user_id uuid,
  p_reason text,
  p_limit integer,
  p_job_id uuid default null,
  p_share_token text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
  v_job_id uuid;
  v_owner_id uuid;
  v_state jsonb;
  v_report_id uuid;
begin
  if v_user_id is null then
    return jsonb_build_object('outcome', 'user_not_found');
  end if;
  if p_job_id is not null then
    select job_id into v_job_id
    from public.video_jobs
    where job_id = p_job_id and user_id = v_user_id and deleted_at is null;
  else
    select job_id into v_job_id from public.find_share(p_share_token);
  end if;
  -- Whose it is now: a merge that moves it waits for this report, which it then moves too.
  select user_id into v_owner_id from public.video_jobs where job_id = v_job_id and deleted_at is null for share;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  -- Reports of one account come one after the other, so that the insert meets no other.
  if exists (select from public.reports where job_id = v_job_id and reporter_user_id = v_user_id) then
    return jsonb_build_object('outcome', 'repeated');
  end if;
  v_state := public.rate_limit_state('reports', v_user_id, null, p_limit, interval '1 hour');
  if not (v_state ->> 'allowed')::boolean then
    return jsonb_build_object('outcome', 'rate_limited') || v_state;
  end if;
  insert into public.rate_limit_log (action, user_id) values ('reports', v_user_id);
  insert into public.reports (job_id, user_id, reporter_user_id, source, reason)
  values (v_job_id, v_owner_id, v_user_id, case when p_job_id is null then 'share' else 'owner' end, p_reason)
  returning id into v_report_id;
  return jsonb_build_object('outcome', 'reported', 'report_id', v_report_id, 'job_id', v_job_id);
end
$$;
