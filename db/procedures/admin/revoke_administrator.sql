-- Ends an administrator's rights, with all links and sessions, at once. Returns whether there is such an administrator; a repeat
-- changes nothing. The owner's alone.
-- @owner
create or replace function public.revoke_administrator(p_email text) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id uuid;
  v_revoked_at timestamptz;
begin
  select user_id, revoked_at into v_id, v_revoked_at
  from public.administrators
  where email = lower(btrim(p_email))
  for update;
  if not found then
    return false;
  elsif v_revoked_at is not null then
    return true;
  end if;
  update public.administrators set revoked_at = clock_timestamp() where user_id = v_id;
  update public.users set is_admin = false, updated_at = now() where id = v_id;
  perform public.record_owner_action('administrator_revoke', v_id);
  update public.admin_sessions set ended_at = clock_timestamp() where admin_user_id = v_id and ended_at is null;
  update public.admin_links set used_at = clock_timestamp() where admin_user_id = v_id and used_at is null;
  return true;
end
$$;
