-- Keeps job_counters up to date, so that totals are read instead of counted.
create or replace function public.count_jobs() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_op <> 'INSERT' and old.deleted_at is null then
    update public.job_counters
    set jobs = jobs - 1
    where user_id = old.user_id and status = old.status;
  end if;
  if tg_op <> 'DELETE' and new.deleted_at is null then
    insert into public.job_counters as c (user_id, status, jobs)
    values (new.user_id, new.status, 1)
    on conflict (user_id, status) do update set jobs = c.jobs + 1;
  end if;
  return null;
end
$$;

create or replace trigger video_jobs_count_changes
  after update of status, deleted_at, user_id on public.video_jobs
  for each row
  when (
    old.status is distinct from new.status
    or old.deleted_at is distinct from new.deleted_at
    or old.user_id is distinct from new.user_id
  )
  execute function public.count_jobs();

create or replace trigger video_jobs_count_rows
  after insert or delete on public.video_jobs
  for each row execute function public.count_jobs();
