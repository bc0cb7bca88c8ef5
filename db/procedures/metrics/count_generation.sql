-- Counts a generation that has ended, in its own transaction.
create or replace function public.count_generation() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.metric_entries (metric, labels, amount)
  values (
    'generations',
    jsonb_build_object('model', new.model_name, 'provider', new.provider, 'outcome', new.status),
    1
  );
  return null;
end
$$;

create or replace trigger video_jobs_count_outcome
  after update of status on public.video_jobs
  for each row
  when (old.status is distinct from new.status and new.status in ('completed', 'failed'))
  execute function public.count_generation();
