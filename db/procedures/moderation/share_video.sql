-- Gives a completed video a link: the one that it has already, or one with this token. `p_with_prompt`: whether the link's page shows
-- the prompt; a repeat changes it.
-- @returns {outcome: 'shared', token: string} | {outcome: 'not_found' | 'running' | 'no_video'}
create or replace function public.share_video(
  p_user_id uuid,
  p_job_id uuid,
  p_token text,
  p_with_prompt boolean default false
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
  v_job public.video_jobs;
  v_token text;
begin
  select * into v_job
  from public.video_jobs
  where job_id = p_job_id and user_id = v_user_id and deleted_at is null
  for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  elsif v_job.completed_at is null then
    return jsonb_build_object('outcome', 'running');
  elsif v_job.status <> 'completed' or v_job.video_url is null then
    return jsonb_build_object('outcome', 'no_video');
  end if;
  insert into public.shares as s (job_id, token, with_prompt)
  values (p_job_id, p_token, p_with_prompt)
  on conflict (job_id) do update set with_prompt = excluded.with_prompt
  returning s.token into v_token;
  return jsonb_build_object('outcome', 'shared', 'token', v_token);
end
$$;
