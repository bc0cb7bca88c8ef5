-- Deletes rows older than 7 days, far more than the longest window of a limit; those that another call holds, the next time. Returns
-- how many were deleted. For schedules of the database itself: the server's own upkeep deletes them in batches.
create or replace function public.cleanup_rate_limit_logs() returns integer
language sql
security definer
set search_path = ''
as $$
  with old as (
    select id from public.rate_limit_log where created_at < now() - interval '7 days' for update skip locked
  ), gone as (
    delete from public.rate_limit_log where id in (select id from old) returning 1
  )
  select count(*)::integer from gone
$$;
