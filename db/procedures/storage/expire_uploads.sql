-- Hides uploads that were neither used nor written for `p_unused_days` days, the oldest first. Returns how many.
create or replace function public.expire_uploads(p_unused_days integer, p_limit integer) returns integer
language sql
security definer
set search_path = ''
as $$
  with unused as (
    select u.id
    from public.uploads u
    where u.stored_at is not null
      and u.updated_at < now() - make_interval(days => p_unused_days)
      and not exists (
        select from public.video_jobs j
        where j.user_id = u.user_id
          and j.image_url = u.path
          and (j.completed_at is null or j.created_at > now() - make_interval(days => p_unused_days))
      )
    order by u.updated_at
    limit p_limit
    for update skip locked
  ), hidden as (
    update public.uploads u
    set path = u.user_id || '/~' || u.id, stored_at = null, updated_at = clock_timestamp()
    from unused
    where u.id = unused.id
    returning 1
  )
  select count(*)::integer from hidden
$$;
