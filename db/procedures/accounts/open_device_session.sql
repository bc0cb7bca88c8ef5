-- Opens a session for a device that Apple has verified, unless its account changed meanwhile: it was banned or deleted, it signed
-- in with Apple, or it lost the device id. False: no session was opened.
-- @returns boolean
create or replace function public.open_device_session(
  p_user_id uuid,
  p_device_id text,
  p_session_id uuid,
  p_token_hash bytea,
  p_nonce bytea,
  p_lifetime_seconds integer
) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform
  from public.users u
  where u.id = p_user_id
    and u.device_id = p_device_id
    and u.apple_sub is null
    and u.deleted_at is null
    and not exists (select from public.user_bans b where b.user_id = u.id)
  for update of u;
  if not found then
    return false;
  end if;
  perform public.open_session(p_user_id, p_session_id, p_token_hash, p_nonce, p_lifetime_seconds);
  return true;
end
$$;
