-- Finds or creates the account of a device. A device id never gives access to an account that has signed in with Apple: such an
-- account loses the id, because its owner signs in through Apple; so does a deleted one. The device then gets a guest account.
-- `p_is_proven`: Apple has verified the device. Such a guest may store more.
-- `has_open_claim`: a claim to the initial grant was opened and not finished.
-- @returns {
--   user_id: string, is_new: boolean, credits_remaining: number, initial_grant_claimed: boolean, has_open_claim: boolean
-- }
create or replace function public.onboard_device(
  p_device_id text,
  p_language text default 'en',
  p_is_proven boolean default false
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
  v_is_new boolean := false;
begin
  loop
    select * into v_user from public.users where device_id = p_device_id for update;
    if found then
      exit when v_user.apple_sub is null and v_user.deleted_at is null;
      update public.users set device_id = null, updated_at = now() where id = v_user.id;
    end if;
    insert into public.users (device_id, language)
    values (p_device_id, p_language)
    on conflict (device_id) do nothing
    returning * into v_user;
    if found then
      v_is_new := true;
      exit;
    end if;
  end loop;

  if p_is_proven then
    insert into public.proven_devices (user_id) values (v_user.id) on conflict (user_id) do nothing;
  end if;
  return jsonb_build_object(
    'user_id', v_user.id,
    'is_new', v_is_new,
    'credits_remaining', v_user.credits_remaining,
    'initial_grant_claimed', v_user.initial_grant_claimed,
    'has_open_claim', exists (select from public.device_grants where user_id = v_user.id and state = 'claiming')
  );
end
$$;
