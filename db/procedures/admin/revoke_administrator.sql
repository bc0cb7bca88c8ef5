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
begin
  update public.administrators
  set revoked_at = coalesce(revoked_at, clock_timestamp())
  where email = lower(btrim(p_email))
  returning user_id into v_id;
  if v_id is null then
    return false;
  end if;
  update public.users set is_admin = false, updated_at = now() where id = v_id and is_admin;
  update public.admin_sessions set ended_at = clock_timestamp() where admin_user_id = v_id and ended_at is null;
  update public.admin_links set used_at = clock_timestamp() where admin_user_id = v_id and used_at is null;
  return true;
end
$$;
