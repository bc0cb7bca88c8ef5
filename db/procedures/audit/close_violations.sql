-- Removes the violations that were last found before this time: a check of everything has ended since then, and they hold again.
-- Returns how many are open.
create or replace function public.close_violations(p_before timestamptz) returns integer
language plpgsql
security definer
set search_path = ''
as $$
begin
  delete from public.money_violations where last_found_at < p_before;
  perform public.record_violations('[]');
  return (select count(*) from public.money_violations);
end
$$;
