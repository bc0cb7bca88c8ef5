-- Locks a job after its user, in the lock order, starting from the job's id alone. Null: there is no such job.
create or replace function public.lock_job(p_job_id uuid) returns public.video_jobs
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid;
  v_job public.video_jobs;
begin
  loop
    select user_id into v_user_id from public.video_jobs where job_id = p_job_id;
    if not found then
      return null;
    end if;
    perform from public.users where id = v_user_id for update;
    -- A merge may have moved the job to another account while this call waited. Its row is then not locked: the row of its new
    -- owner comes first.
    select * into v_job from public.video_jobs where job_id = p_job_id and user_id = v_user_id for update;
    exit when found;
  end loop;
  return v_job;
end
$$;
