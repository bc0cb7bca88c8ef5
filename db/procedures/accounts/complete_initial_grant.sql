-- Adds the credits of a grant that Apple has recorded, once. The amount is the operator's setting, not an argument.
-- Returns the balance; null if the account has no open claim, or is deleted.
-- @returns number | null
create or replace function public.complete_initial_grant(p_user_id uuid) returns integer
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform from public.users where id = p_user_id and deleted_at is null for update;
  if not found then
    return null;
  end if;
  update public.device_grants
  set state = 'granted', settled_at = clock_timestamp()
  where user_id = p_user_id and state = 'claiming';
  if not found then
    return null;
  end if;
  update public.users set initial_grant_claimed = true, updated_at = now() where id = p_user_id;
  return (
    public.add_credits(
      p_user_id, (select initial_grant_credits from public.settings), 'initial_grant', 'initial_grant:' || p_user_id
    ) ->> 'credits_remaining'
  )::integer;
end
$$;
