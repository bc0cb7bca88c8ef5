-- Takes one slot of an IP address's window, in a transaction of its own: for calls that have no account yet.
-- @returns {allowed: boolean, limit: number, window_seconds: number, remaining: number, reset_seconds: number}
create or replace function public.take_rate_limit(p_action text, p_address inet, p_limit integer, p_window_seconds integer)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_state jsonb;
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(p_action || ' ' || p_address::text, 0));
  v_state := public.rate_limit_state(p_action, null, p_address, p_limit, make_interval(secs => p_window_seconds));
  if (v_state ->> 'allowed')::boolean then
    insert into public.rate_limit_log (action, ip_address) values (p_action, p_address);
    v_state := v_state || jsonb_build_object('remaining', (v_state ->> 'remaining')::integer - 1);
  end if;
  return v_state;
end
$$;
