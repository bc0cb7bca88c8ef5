-- Returns how many slots of a window are left and, if it is full, when the next one becomes free, for a user or (with
-- `p_user_id` null) for an IP address. Counts rows that no user can delete. `p_limit` null: no limit.
-- One query for each kind of key, with the window's start in a variable: a condition such as `p_user_id is null or user_id =
-- p_user_id`, or a volatile function in it, makes PostgreSQL read the whole log.
create or replace function public.rate_limit_state(
  p_action text,
  p_user_id uuid,
  p_address inet,
  p_limit integer,
  p_window interval
) returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_start timestamptz := v_now - p_window;
  v_taken integer;
  v_oldest timestamptz;
begin
  if p_user_id is not null then
    select count(*), min(created_at)
    into v_taken, v_oldest
    from (
      select created_at
      from public.rate_limit_log
      where user_id = p_user_id and action = p_action and created_at > v_start
      order by created_at desc
      limit p_limit
    ) r;
  else
    select count(*), min(created_at)
    into v_taken, v_oldest
    from (
      select created_at
      from public.rate_limit_log
      where ip_address = p_address and action = p_action and created_at > v_start
      order by created_at desc
      limit p_limit
    ) r;
  end if;
  return jsonb_build_object(
    'limit', p_limit,
    'window_seconds', extract(epoch from p_window)::integer,
    'remaining', greatest(p_limit - v_taken, 0),
    'reset_seconds', greatest(1, ceil(extract(epoch from coalesce(v_oldest, v_now) + p_window - v_now)))::integer,
    'allowed', v_taken < p_limit
  );
end
$$;
