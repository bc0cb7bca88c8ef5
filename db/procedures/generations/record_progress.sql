-- Stores what the provider reports about a running job. Emits an event only if something changed; progress never decreases.
-- False: the job is not processing.
create or replace function public.record_progress(p_job_id uuid, p_progress integer default null, p_queue_position integer default null)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs := public.lock_job(p_job_id);
  v_progress integer := least(greatest(p_progress, v_job.progress, 0), 100);
begin
  if v_job.status is distinct from 'processing' then
    return false;
  end if;
  if p_progress is null then
    v_progress := v_job.progress;
  end if;
  if v_progress is not distinct from v_job.progress and p_queue_position is not distinct from v_job.queue_position then
    return true;
  end if;
  update public.video_jobs
  set progress = v_progress, queue_position = p_queue_position
  where job_id = p_job_id;
  perform public.emit_event(
    v_job.user_id,
    'processing',
    p_job_id,
    jsonb_build_object('progress', v_progress, 'queue_position', p_queue_position)
  );
  return true;
end
$$;
