-- Opens a session of one hour with the token of a one-time link, which it uses up. Null: the link is unknown, used or expired, or
-- its administrator's rights were revoked.
-- @returns {admin_user_id: string, email: string, expires_at: string} | null
create or replace function public.open_admin_session(p_session_id uuid, p_token_hash bytea) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_administrator public.administrators;
  v_expires_at timestamptz := date_trunc('second', clock_timestamp()) + interval '1 hour';
begin
  -- The administrator's row first: a revocation holds it while it ends links and sessions.
  select a.* into v_administrator
  from public.administrators a
  join public.admin_links l on l.admin_user_id = a.user_id
  where l.token_hash = p_token_hash
  for update of a;
  if v_administrator.user_id is null then
    return null;
  end if;
  update public.admin_links
  set used_at = clock_timestamp()
  where token_hash = p_token_hash and used_at is null and expires_at > clock_timestamp();
  if not found or v_administrator.revoked_at is not null then
    return null;
  end if;
  insert into public.admin_sessions (id, admin_user_id, opened_by, expires_at)
  values (p_session_id, v_administrator.user_id, 'link', v_expires_at);
  return jsonb_build_object(
    'admin_user_id', v_administrator.user_id, 'email', v_administrator.email, 'expires_at', v_expires_at
  );
end
$$;
