-- Until the end of this transaction, nobody else credits or refunds the store's transaction. Taken before any row lock.
create or replace function public.lock_transaction(p_store text, p_transaction_id text) returns void
language sql
security definer
set search_path = ''
as $$
  select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(p_store || ' ' || p_transaction_id, 0))
$$;
