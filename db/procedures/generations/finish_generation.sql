-- processing → completed, once. False: the job is already final, and the caller deletes the file that it stored.
create or replace function public.finish_generation(
  p_job_id uuid,
  p_video_path text,
  p_video_bytes bigint,
  p_video_sha256 text,
  p_video_seconds numeric,
  p_thumbnail_path text default null
) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs := public.lock_job(p_job_id);
begin
  if v_job.status is distinct from 'processing' then
    return false;
  end if;
  update public.video_jobs
  set status = 'completed',
      progress = 100,
      queue_position = null,
      video_url = p_video_path,
      thumbnail_url = p_thumbnail_path,
      video_bytes = p_video_bytes,
      video_sha256 = p_video_sha256,
      video_seconds = p_video_seconds,
      completed_at = clock_timestamp()
  where job_id = p_job_id and status = 'processing';
  perform public.emit_event(v_job.user_id, 'completed', p_job_id, '{}');
  perform public.schedule_webhook(
    v_job.user_id,
    'video.completed',
    jsonb_build_object(
      'user_id', v_job.user_id, 'job_id', p_job_id, 'model_id', v_job.model_id, 'credits_used', v_job.credits_used,
      'video_path', 'videos/' || p_video_path, 'thumbnail_path', 'thumbnails/' || p_thumbnail_path,
      'video_seconds', p_video_seconds, 'video_bytes', p_video_bytes
    )
  );
  perform public.schedule_pushes(v_job.user_id, p_job_id, 'video_ready');
  return true;
end
$$;
