-- Takes the files of up to `p_limit` videos that were completed more than `p_days` days ago from their jobs, the oldest first: video_url
-- and thumbnail_url become null, and a shared video is shared no more. Returns the paths that the files have in their buckets,
-- for the caller to delete them; what it does not delete, the search for files without a row does.
-- @returns {video: string, thumbnail: string | null}[]
create or replace function public.expire_videos(p_days integer, p_limit integer default 50) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_files jsonb;
begin
  with old as (
    select job_id, video_url, thumbnail_url
    from public.video_jobs
    where status = 'completed'
      and deleted_at is null
      and video_url is not null
      and completed_at < now() - make_interval(days => p_days)
    order by completed_at
    limit p_limit
    for update skip locked
  ), removed as (
    update public.video_jobs j
    set video_url = null, thumbnail_url = null, video_removed_at = clock_timestamp()
    from old
    where j.job_id = old.job_id
  ), unshared as (
    delete from public.shares s using old where s.job_id = old.job_id
  )
  select coalesce(jsonb_agg(jsonb_build_object('video', video_url, 'thumbnail', thumbnail_url)), '[]') into v_files from old;
  return v_files;
end
$$;
