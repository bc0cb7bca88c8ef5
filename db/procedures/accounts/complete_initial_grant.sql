-- Adds the credits of a grant that Apple has recorded, once; of a guest that was merged meanwhile, to the survivor. The amount is
-- the operator's setting, not an argument.
-- Returns the balance; null if the account has no open claim, or is deleted.
-- @returns number | null
create or replace function public.complete_initial_grant(p_user_id uuid) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_survivor_id uuid;
begin
  -- A merged guest's row before its survivor's, as lock_account does when it has waited for a merge.
  perform from public.users where id = p_user_id for update;
  v_survivor_id := (public.lock_account(p_user_id)).id;
  if v_survivor_id is null then
    return null;
  end if;
  update public.device_grants
  set state = 'granted', settled_at = clock_timestamp()
  where user_id = p_user_id and state = 'claiming';
  if not found then
    return null;
  end if;
  update public.users set initial_grant_claimed = true, updated_at = now() where id = p_user_id;
  perform public.apply_credits(p_user_id, initial_grant_credits, 'initial_grant', null, 'initial_grant:' || p_user_id)
  from public.settings
  where initial_grant_credits > 0;
  if v_survivor_id <> p_user_id then
    perform public.move_balance(p_user_id, v_survivor_id);
    update public.users set initial_grant_claimed = true where id = v_survivor_id;
  end if;
  return (select credits_remaining from public.users where id = v_survivor_id);
end
$$;
