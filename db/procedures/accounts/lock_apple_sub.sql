-- Makes the calls that concern one Apple user wait for each other, before any row is locked.
create or replace function public.lock_apple_sub(p_apple_sub text) returns void
language sql
security definer
set search_path = ''
as $$
  select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('apple ' || p_apple_sub, 0))
$$;
