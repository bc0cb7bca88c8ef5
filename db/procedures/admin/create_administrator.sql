-- Makes an administrator, or gives one whose rights were revoked these back. Returns the id. The owner's alone: nothing that a client
-- can write makes an administrator.
-- @owner
create or replace function public.create_administrator(p_email text) returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_email text := lower(btrim(p_email));
  v_id uuid;
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('administrator ' || v_email, 0));
  select user_id into v_id from public.administrators where email = v_email;
  if v_id is null then
    insert into public.users (email, is_guest, is_admin) values (v_email, false, true) returning id into v_id;
    insert into public.administrators (user_id, email) values (v_id, v_email);
  else
    update public.administrators set revoked_at = null where user_id = v_id and revoked_at is not null;
    if not found then
      return v_id;
    end if;
    update public.users set is_admin = true, updated_at = now() where id = v_id;
  end if;
  perform public.record_owner_action('administrator_create', v_id);
  return v_id;
end
$$;
