-- Puts credits that a ledger row has added into lots: those of a refunded generation into the lots that paid for it, all others into
-- a new lot. The caller holds the user's row lock.
create or replace function public.give_to_lots(
  p_user_id uuid,
  p_amount integer,
  p_reason text,
  p_ledger_id uuid,
  p_job_id uuid default null,
  p_purchase_id uuid default null,
  p_expires_at timestamptz default null
) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_left integer := p_amount;
begin
  if p_reason = 'generation_failed_refund' then
    with paid as (
      select lot_id, -change as amount from public.lot_movements where job_id = p_job_id and change < 0
    ), returned as (
      update public.credit_lots l
      set remaining = l.remaining + p.amount
      from paid p
      where l.id = p.lot_id and l.user_id = p_user_id
      returning l.id, p.amount
    ), noted as (
      insert into public.lot_movements (lot_id, change, ledger_id, job_id)
      select id, amount, p_ledger_id, p_job_id from returned
    )
    select p_amount - coalesce(sum(amount), 0) into v_left from returned;
  end if;
  -- A generation that was charged before there were lots has none to return to.
  if v_left > 0 then
    insert into public.credit_lots (
      user_id, source, is_purchased, amount, remaining, expires_at, purchase_id, ledger_id
    )
    values (
      p_user_id, p_reason, p_reason in ('iap_purchase', 'apple_refund_reversed', 'store_refund_reversed'), v_left, v_left,
      p_expires_at, p_purchase_id, p_ledger_id
    );
  end if;
end
$$;
