-- A second guard behind the procedures' own comparisons: no update of a job, from any code, may skip a state or go back.
create or replace function public.guard_job_state() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if old.status = new.status
    or (old.status = 'pending' and new.status in ('processing', 'failed'))
    or (old.status = 'processing' and new.status in ('completed', 'failed'))
  then
    return new;
  end if;
  raise exception 'a generation cannot go from % to %', old.status, new.status using errcode = 'check_violation';
end
$$;

create or replace trigger video_jobs_guard_state
  before update of status on public.video_jobs
  for each row execute function public.guard_job_state();
