-- Returns how many slots of a window are left and, if it is full, when the next one becomes free, for a user or (with
-- `p_user_id` null) for an IP address. Counts rows that no user can delete. `p_limit` null: no limit.
-- One query for each kind of key, with the window's start in a variable and without `order by … limit`: otherwise PostgreSQL may
-- walk the whole log. A window holds few rows, because a row is only added while a slot is left.
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
  v_taken timestamptz[];
  v_count integer;
  v_oldest timestamptz;
begin
  if p_user_id is not null then
    select array_agg(created_at order by created_at desc) into v_taken
    from public.rate_limit_log
    where user_id = p_user_id and action = p_action and created_at > v_start;
  else
    select array_agg(created_at order by created_at desc) into v_taken
    from public.rate_limit_log
    where ip_address = p_address and action = p_action and created_at > v_start;
  end if;
  v_count := coalesce(cardinality(v_taken), 0);
  -- A slot becomes free when the oldest of the last `p_limit` rows leaves the window.
  v_oldest := v_taken[least(v_count, p_limit)];
  return jsonb_build_object(
    'limit', p_limit,
    'window_seconds', extract(epoch from p_window)::integer,
    'remaining', greatest(p_limit - v_count, 0),
    'reset_seconds', greatest(1, ceil(extract(epoch from coalesce(v_oldest, v_now) + p_window - v_now)))::integer,
    'allowed', v_count < p_limit
  );
end
$$;
