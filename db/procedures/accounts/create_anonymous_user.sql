-- Creates an account of which no device is known. It has no initial grant.
-- @returns string
create or replace function public.create_anonymous_user(p_language text) returns uuid
language sql
security definer
set search_path = ''
as $$
  insert into public.users (began_anonymous, language) values (true, p_language) returning id
$$;
