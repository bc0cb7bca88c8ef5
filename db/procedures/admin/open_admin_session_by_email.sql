-- Opens a session of one hour for whoever has the command line. Null: there is no such administrator. The owner's alone.
-- @owner
-- @returns {admin_user_id: string, email: string, expires_at: string} | null
create or replace function public.open_admin_session_by_email(p_session_id uuid, p_email text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_administrator public.administrators;
  v_expires_at timestamptz := date_trunc('second', clock_timestamp()) + interval '1 hour';
begin
  select * into v_administrator
  from public.administrators
  where email = lower(btrim(p_email)) and revoked_at is null
  for update;
  if v_administrator.user_id is null then
    return null;
  end if;
  insert into public.admin_sessions (id, admin_user_id, opened_by, expires_at)
  values (p_session_id, v_administrator.user_id, 'command_line', v_expires_at);
  perform public.record_owner_action('administrator_session', v_administrator.user_id);
  return jsonb_build_object(
    'admin_user_id', v_administrator.user_id, 'email', v_administrator.email, 'expires_at', v_expires_at
  );
end
$$;
