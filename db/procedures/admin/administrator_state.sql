-- Whether an e-mail address is an administrator's; null: there is none with it. The owner's alone.
-- @owner
-- @returns 'active' | 'revoked' | null
create or replace function public.administrator_state(p_email text) returns text
language sql
stable
security definer
set search_path = ''
as $$
  select case when revoked_at is null then 'active' else 'revoked' end
  from public.administrators
  where email = lower(btrim(p_email))
$$;
