-- Expires what is left in a user's lots whose time is over, each with a ledger row. Returns how many credits expired. The caller holds
-- the user's row lock.
create or replace function public.expire_lots(p_user_id uuid) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_lot record;
  v_sum integer := 0;
begin
  -- They are the first in the order of spending, so each row takes exactly from its own lot.
  for v_lot in
    select remaining from public.credit_lots
    where user_id = p_user_id and is_open and not is_purchased and expires_at <= now()
    order by expires_at, seq
  loop
    perform public.apply_credits(p_user_id, -v_lot.remaining, 'credits_expired', null, null);
    v_sum := v_sum + v_lot.remaining;
  end loop;
  return v_sum;
end
$$;
