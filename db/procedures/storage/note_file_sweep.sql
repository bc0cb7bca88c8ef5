-- Notes how far the search for files without a row has come in a bucket; `p_after` null: it is through.
create or replace function public.note_file_sweep(p_bucket text, p_after text default null) returns void
language sql
security definer
set search_path = ''
as $$
  insert into public.file_sweeps (bucket, after_key, finished_at)
  values (p_bucket, p_after, case when p_after is null then clock_timestamp() end)
  on conflict (bucket) do update
  set after_key = excluded.after_key,
      finished_at = coalesce(excluded.finished_at, file_sweeps.finished_at)
$$;
