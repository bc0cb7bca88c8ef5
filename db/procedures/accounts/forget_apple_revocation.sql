-- Apple has revoked the token, or does not know it.
create or replace function public.forget_apple_revocation(p_id uuid) returns void
language sql
security definer
set search_path = ''
as $$
  delete from public.apple_revocations where id = p_id
$$;
