-- Opens a claim to the device's grant before the bits are updated at Apple, and returns the value of the second bit to write.
-- While other claims are open the value differs from theirs, so that each account can later see whether the update that Apple
-- accepted was its own. If both values are in use, the older claims become void: the grant is given at most once.
-- Null: this account has had its grant.
-- @returns boolean | null
create or replace function public.claim_initial_grant(p_user_id uuid, p_bit1 boolean) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_bit1 boolean := p_bit1;
begin
  perform from public.users where id = p_user_id and not initial_grant_claimed for update;
  if not found then
    return null;
  end if;
  if exists (select from public.device_grants where state = 'claiming' and bit1 = p_bit1 and user_id <> p_user_id) then
    v_bit1 := not p_bit1;
    update public.device_grants
    set state = 'void', settled_at = clock_timestamp()
    where state = 'claiming' and bit1 = v_bit1 and user_id <> p_user_id;
  end if;
  insert into public.device_grants (user_id, state, bit1)
  values (p_user_id, 'claiming', v_bit1)
  on conflict (user_id) do update set state = 'claiming', bit1 = excluded.bit1, settled_at = null
  where public.device_grants.state <> 'granted';
  return v_bit1;
end
$$;
