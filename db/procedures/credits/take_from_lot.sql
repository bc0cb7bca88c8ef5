-- Takes credits out of one lot and notes which ledger row and generation they were for. Returns the amount.
create or replace function public.take_from_lot(p_lot_id uuid, p_amount integer, p_ledger_id uuid, p_job_id uuid)
returns integer
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.credit_lots set remaining = remaining - p_amount where id = p_lot_id;
  insert into public.lot_movements (lot_id, change, ledger_id, job_id) values (p_lot_id, -p_amount, p_ledger_id, p_job_id);
  return p_amount;
end
$$;
