-- Opens a session with its first refresh token, which is stored as a hash. It ends `p_lifetime_seconds` after the last refresh.
-- Above a hundred, the session that was refreshed longest ago ends. Does nothing for an account that is deleted.
create or replace function public.open_session(
  p_user_id uuid,
  p_session_id uuid,
  p_token_hash bytea,
  p_nonce bytea,
  p_lifetime_seconds integer
) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
begin
  if v_user_id is null then
    return;
  end if;
  insert into public.sessions (id, user_id, expires_at)
  values (p_session_id, v_user_id, clock_timestamp() + make_interval(secs => p_lifetime_seconds));
  insert into public.refresh_tokens (token_hash, session_id, generation, nonce)
  values (p_token_hash, p_session_id, 0, p_nonce);
  -- Far more than a person has devices: what an account holds is bounded.
  update public.sessions
  set revoked_at = clock_timestamp()
  where id in (
    select id
    from public.sessions
    where user_id = v_user_id and revoked_at is null and id <> p_session_id
    order by refreshed_at desc
    offset 99
  );
end
$$;
