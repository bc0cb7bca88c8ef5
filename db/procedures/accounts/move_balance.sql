-- Moves a merged guest's balance, which may be a debt, its lots and its lifetime credits to the survivor. The caller holds both row
-- locks and has moved the guest's events.
create or replace function public.move_balance(p_guest_id uuid, p_survivor_id uuid) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_balance integer;
  v_total integer;
  v_new integer;
begin
  select credits_remaining, credits_total into v_balance, v_total from public.users where id = p_guest_id;
  update public.credit_lots set user_id = p_survivor_id where user_id = p_guest_id;
  if v_balance <> 0 then
    perform public.apply_credits(p_guest_id, -v_balance, 'account_merge', null, null);
    v_new := public.apply_credits(p_survivor_id, v_balance, 'account_merge', null, null);
    -- Where one of the two was in debt, the credits of the other repay it.
    perform public.take_from_lots(
      p_survivor_id,
      greatest(v_balance, 0) + greatest(v_new - v_balance, 0) - greatest(v_new, 0),
      (select id from public.quota_log where user_id = p_survivor_id order by seq desc limit 1)
    );
  end if;
  -- That the guest's is 0 now is no event: its streams have ended.
  delete from public.user_events where user_id = p_guest_id;
  update public.users set credits_total = 0 where id = p_guest_id;
  update public.users set credits_total = credits_total + v_total where id = p_survivor_id;
  update public.merged_users set credits_total = credits_total + v_total where user_id = p_guest_id;
end
$$;
