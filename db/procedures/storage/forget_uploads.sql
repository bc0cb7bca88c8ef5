-- Deletes the rows of uploads whose files are not, or no longer, in the store. Rows that are in use stay. Returns how many
-- were deleted.
create or replace function public.forget_uploads(p_ids jsonb) returns integer
language sql
security definer
set search_path = ''
as $$
  with theirs as (
    -- Locked in one order, so that this and a merge never wait for each other.
    select id
    from public.uploads
    where id = any (array(select jsonb_array_elements_text(p_ids)::uuid)) and stored_at is null
    order by id
    for update
  ), forgotten as (
    delete from public.uploads
    where id in (select id from theirs)
    returning 1
  )
  select count(*)::integer from forgotten
$$;
