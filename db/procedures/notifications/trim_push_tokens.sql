-- Removes all but the twenty push tokens of an account that were registered last: far more than a person has devices. One that another
-- call holds is being moved or removed.
create or replace function public.trim_push_tokens(p_user_id uuid) returns void
language sql
security definer
set search_path = ''
as $$
  delete from public.push_tokens
  where id in (
    select id
    from public.push_tokens
    where user_id = p_user_id
    order by registered_at desc, id
    offset 20
    for update skip locked
  )
$$;
