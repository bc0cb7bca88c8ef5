-- Merges fields into what an app keeps with an account; a null removes its field. `too_large`: nothing was changed.
-- @returns 'updated' | 'too_large' | 'user_not_found'
create or replace function public.update_user_metadata(p_user_id uuid, p_data jsonb) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users := public.lock_account(p_user_id);
  v_data jsonb;
begin
  if v_user.id is null then
    return 'user_not_found';
  end if;
  select coalesce(jsonb_object_agg(key, value), '{}') into v_data
  from jsonb_each(coalesce((select data from public.user_metadata where user_id = v_user.id), '{}') || p_data)
  where value <> 'null';
  -- The same bound as the column's.
  if octet_length(v_data::text) > 4096 then
    return 'too_large';
  end if;
  insert into public.user_metadata (user_id, data)
  values (v_user.id, v_data)
  on conflict (user_id) do update set data = excluded.data;
  update public.users set updated_at = now() where id = v_user.id;
  return 'updated';
end
$$;
