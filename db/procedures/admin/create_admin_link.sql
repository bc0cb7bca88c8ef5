-- Stores a one-time link of an administrator, good for 15 minutes. Returns whether there is such an administrator. The owner's alone.
-- @owner
create or replace function public.create_admin_link(p_email text, p_token_hash bytea) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id uuid;
begin
  select user_id into v_id
  from public.administrators
  where email = lower(btrim(p_email)) and revoked_at is null
  for update;
  if not found then
    return false;
  end if;
  insert into public.admin_links (token_hash, admin_user_id, expires_at)
  values (p_token_hash, v_id, clock_timestamp() + interval '15 minutes');
  perform public.record_owner_action('administrator_link', v_id);
  return true;
end
$$;
