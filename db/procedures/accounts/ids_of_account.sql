-- All ids that address an account: its own, and those of the guests that were merged into it.
create or replace function public.ids_of_account(p_user_id uuid) returns uuid[]
language sql
stable
security definer
set search_path = ''
as $$
  select array[p_user_id] || array(select user_id from public.merged_users where survivor_id = p_user_id)
$$;
