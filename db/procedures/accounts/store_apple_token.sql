-- Keeps the refresh token that Apple gave for an account, encrypted. False: the account is deleted, so that the token is revoked
-- instead.
create or replace function public.store_apple_token(p_user_id uuid, p_client_id text, p_sealed_token bytea) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users := public.lock_account(p_user_id);
begin
  if v_user.id is null then
    perform public.schedule_apple_revocation(p_client_id, p_sealed_token);
    return false;
  end if;
  insert into public.apple_tokens (user_id, client_id, sealed_token)
  values (v_user.id, p_client_id, p_sealed_token)
  on conflict (user_id, client_id) do update set sealed_token = excluded.sealed_token, created_at = clock_timestamp();
  return true;
end
$$;
