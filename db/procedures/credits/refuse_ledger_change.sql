-- The ledger is append-only, also for the owner of the tables.
create or replace function public.refuse_ledger_change() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  raise exception 'rows of the ledger are only ever added' using errcode = 'insufficient_privilege';
end
$$;

create or replace trigger quota_log_only_grows
  before update or delete on public.quota_log
  for each row execute function public.refuse_ledger_change();

create or replace trigger quota_log_is_never_emptied
  before truncate on public.quota_log
  for each statement execute function public.refuse_ledger_change();

create or replace trigger lot_movements_only_grow
  before update or delete on public.lot_movements
  for each row execute function public.refuse_ledger_change();

create or replace trigger lot_movements_are_never_emptied
  before truncate on public.lot_movements
  for each statement execute function public.refuse_ledger_change();
