-- Moves a merged guest's balance, which may be a debt, and its lifetime credits to the survivor. The caller holds both row locks
-- and has moved the guest's events.
create or replace function public.move_balance(p_guest_id uuid, p_survivor_id uuid) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_balance integer;
  v_total integer;
begin
  select credits_remaining, credits_total into v_balance, v_total from public.users where id = p_guest_id;
  if v_balance <> 0 then
    perform public.apply_credits(p_guest_id, -v_balance, 'account_merge', null, null);
    perform public.apply_credits(p_survivor_id, v_balance, 'account_merge', null, null);
  end if;
  -- That the guest's is 0 now is no event: its streams have ended.
  delete from public.user_events where user_id = p_guest_id;
  update public.users set credits_total = 0 where id = p_guest_id;
  update public.users set credits_total = credits_total + v_total where id = p_survivor_id;
  update public.merged_users set credits_total = credits_total + v_total where user_id = p_guest_id;
end
$$;
