-- The account that an id addresses: a merged guest's survivor, else the id itself.
create or replace function public.survivor_of(p_user_id uuid) returns uuid
language sql
stable
security definer
set search_path = ''
as $$
  select coalesce((select survivor_id from public.merged_users where user_id = p_user_id), p_user_id)
$$;
