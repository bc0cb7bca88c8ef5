-- Returns how many slots of a window are left and, if it is full, when the next one becomes free. Counts rows that no user can
-- delete. `p_limit` null: no limit.
create or replace function public.rate_limit_state(
  p_action text,
  p_user_id uuid,
  p_address inet,
  p_limit integer,
  p_window interval
) returns jsonb
language sql
stable
security definer
set search_path = ''
as $$
  with taken as (
    select count(*)::integer as n, min(r.created_at) as oldest
    from (
      select created_at
      from public.rate_limit_log
      where action = p_action
        and (p_user_id is null or user_id = p_user_id)
        and (p_address is null or ip_address = p_address)
        and created_at > clock_timestamp() - p_window
      order by created_at desc
      limit p_limit
    ) r
  )
  select jsonb_build_object(
    'limit', p_limit,
    'window_seconds', extract(epoch from p_window)::integer,
    'remaining', greatest(p_limit - n, 0),
    'reset_seconds', greatest(1, ceil(extract(epoch from coalesce(oldest, clock_timestamp()) + p_window - clock_timestamp())))::integer,
    'allowed', n < p_limit
  )
  from taken
$$;
