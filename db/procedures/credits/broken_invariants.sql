-- Every violation of a money rule that the rows of some users show: of those with `p_after` < id <= `p_until`; null: no bound.
-- No rows when all rules hold. One range of users costs the same however many others there are, so that a check of the whole
-- database is made of short statements. `audit_…` checks the same rules over everything at once.
create or replace function public.broken_invariants(p_after uuid default null, p_until uuid default null)
returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_after uuid := coalesce(p_after, '00000000-0000-0000-0000-000000000000');
  v_until uuid := coalesce(p_until, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
begin
  return query select * from public.broken_balances(v_after, v_until);
  return query select * from public.broken_generations(v_after, v_until);
  return query select * from public.broken_lots(v_after, v_until);
  return query select * from public.broken_purchases(v_after, v_until);
end
$$;
