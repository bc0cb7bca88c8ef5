-- Deletes all rows older than 7 days, far more than the longest window of a limit, a thousand in one statement. Rows that another call
-- holds are left to the next time. Returns how many were deleted. For schedulers of the database: the server's own upkeep is prune_rows.
create or replace function public.cleanup_rate_limit_logs() returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_batch constant integer := 1000;
  v_count integer;
  v_sum integer := 0;
begin
  loop
    delete from public.rate_limit_log
    where id in (
      select id
      from public.rate_limit_log
      where created_at < now() - interval '7 days'
      order by created_at
      limit v_batch
      for update skip locked
    );
    get diagnostics v_count = row_count;
    v_sum := v_sum + v_count;
    exit when v_count < v_batch;
  end loop;
  return v_sum;
end
$$;
