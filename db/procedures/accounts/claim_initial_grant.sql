-- Opens a claim to a device's grant before the device is marked at Apple. False: the account has had its grant, or is deleted.
-- @returns boolean
create or replace function public.claim_initial_grant(p_user_id uuid) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform from public.users where id = p_user_id and deleted_at is null and not initial_grant_claimed for update;
  if not found then
    return false;
  end if;
  insert into public.device_grants (user_id, state)
  values (p_user_id, 'claiming')
  on conflict (user_id) do update set state = 'claiming', settled_at = null
  where public.device_grants.state <> 'granted';
  return found;
end
$$;
