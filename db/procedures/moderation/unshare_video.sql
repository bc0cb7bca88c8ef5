-- Ends a video's link; one that ends is never given again. False: the account has no such video.
create or replace function public.unshare_video(p_user_id uuid, p_job_id uuid) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
begin
  perform from public.video_jobs where job_id = p_job_id and user_id = v_user_id and deleted_at is null for update;
  if not found then
    return false;
  end if;
  delete from public.shares where job_id = p_job_id;
  return true;
end
$$;
