-- Hides a finished job from its owner and schedules the deletion of its files. Repeating it succeeds.
-- @returns 'deleted' | 'running' | 'not_found'
create or replace function public.delete_generation(p_user_id uuid, p_job_id uuid) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs;
begin
  p_user_id := (public.lock_account(p_user_id)).id;
  select * into v_job from public.video_jobs where job_id = p_job_id and user_id = p_user_id for update;
  if not found then
    return 'not_found';
  elsif v_job.completed_at is null then
    return 'running';
  elsif v_job.deleted_at is null then
    update public.video_jobs set deleted_at = clock_timestamp() where job_id = p_job_id;
    delete from public.shares where job_id = p_job_id;
    perform public.schedule_cleanup(p_job_id);
  end if;
  return 'deleted';
end
$$;
