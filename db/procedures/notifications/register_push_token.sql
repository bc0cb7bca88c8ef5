-- Registers a device's push token for an account, also if another account had it: the device shows the pushes of one. Above twenty,
-- the account's oldest ones go. `signed_out`: the account or the session has ended meanwhile, so nothing was registered.
-- @returns 'registered' | 'signed_out'
create or replace function public.register_push_token(
  p_user_id uuid,
  p_token text,
  p_environment text,
  p_session_id uuid default null
) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
begin
  if v_user_id is null or (
    p_session_id is not null and not exists (
      select from public.sessions where id = p_session_id and user_id = v_user_id and revoked_at is null
    )
  ) then
    return 'signed_out';
  end if;
  insert into public.push_tokens (token, environment, user_id, session_id)
  values (p_token, p_environment, v_user_id, p_session_id)
  on conflict (token) do update
  set environment = excluded.environment,
      user_id = excluded.user_id,
      session_id = excluded.session_id,
      registered_at = excluded.registered_at;
  perform public.trim_push_tokens(v_user_id);
  return 'registered';
end
$$;
