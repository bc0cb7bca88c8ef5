-- Creates an account of which no device is known, with what the app keeps with it. It has no initial grant. Null: that is too much,
-- and nothing was created.
-- @returns string | null
create or replace function public.create_anonymous_user(p_language text, p_data jsonb default '{}') returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_data jsonb;
  v_user_id uuid;
begin
  select coalesce(jsonb_object_agg(key, value), '{}') into v_data from jsonb_each(p_data) where value <> 'null';
  -- The same bound as the column's.
  if octet_length(v_data::text) > 4096 then
    return null;
  end if;
  insert into public.users (began_anonymous, language) values (true, p_language) returning id into v_user_id;
  if v_data <> '{}' then
    insert into public.user_metadata (user_id, data) values (v_user_id, v_data);
  end if;
  return v_user_id;
end
$$;
