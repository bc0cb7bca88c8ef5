-- Deletes rows older than 7 days, far more than the longest window of a limit. Returns how many were deleted.
create or replace function public.cleanup_rate_limit_logs() returns integer
language sql
security definer
set search_path = ''
as $$
  with gone as (
    delete from public.rate_limit_log where created_at < now() - interval '7 days' returning 1
  )
  select count(*)::integer from gone
$$;
