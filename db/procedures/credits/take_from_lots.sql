-- Takes credits out of a user's lots: granted before purchased, expiring before lasting, oldest first; for a refund of a purchase, out of
-- the purchase's own lots first. Throws if the lots hold less. The caller holds the user's row lock and has written the ledger
-- row. `p_job_id`: the generation that they pay for.
create or replace function public.take_from_lots(
  p_user_id uuid,
  p_amount integer,
  p_ledger_id uuid,
  p_job_id uuid default null,
  p_purchase_id uuid default null
) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_left integer := p_amount;
  v_lot record;
begin
  if v_left <= 0 then
    return;
  end if;
  if p_purchase_id is not null then
    for v_lot in
      select id, remaining from public.credit_lots
      where purchase_id = p_purchase_id and user_id = p_user_id and is_open
      order by seq
    loop
      exit when v_left = 0;
      v_left := v_left - public.take_from_lot(v_lot.id, least(v_lot.remaining, v_left), p_ledger_id, p_job_id);
    end loop;
  end if;
  if v_left > 0 then
    for v_lot in
      select id, remaining from public.credit_lots
      where user_id = p_user_id and is_open
      order by is_purchased, expires_at, seq
    loop
      exit when v_left = 0;
      v_left := v_left - public.take_from_lot(v_lot.id, least(v_lot.remaining, v_left), p_ledger_id, p_job_id);
    end loop;
  end if;
  if v_left > 0 then
    raise exception 'the lots hold % credits less than the balance', v_left using errcode = 'check_violation';
  end if;
end
$$;
