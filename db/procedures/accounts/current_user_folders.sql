-- The folders in the buckets that belong to the account of current_user_id: its own, and those of the guests merged into it.
create or replace function public.current_user_folders() returns text[]
language sql
stable
security definer
set search_path = ''
as $$
  select array[u.id::text] || array(select m.user_id::text from public.merged_users m where m.survivor_id = u.id)
  from (select public.current_user_id() as id) u
  where u.id is not null
$$;
