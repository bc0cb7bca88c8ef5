-- Stores a one-time link of an administrator, good for 15 minutes. Returns whether there is such an administrator. The owner's alone.
-- @owner
create or replace function public.create_admin_link(p_email text, p_token_hash bytea) returns boolean
language sql
security definer
set search_path = ''
as $$
  with stored as (
    insert into public.admin_links (token_hash, admin_user_id, expires_at)
    select p_token_hash, user_id, clock_timestamp() + interval '15 minutes'
    from public.administrators
    where email = lower(btrim(p_email)) and revoked_at is null
    returning token_hash
  )
  select exists (select from stored)
$$;
