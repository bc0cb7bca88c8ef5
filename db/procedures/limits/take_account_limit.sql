-- Takes one slot of an account's window, in a transaction of its own; of a merged guest, its survivor's. Null: there is no such account.
-- @returns {allowed: boolean, limit: number, window_seconds: number, remaining: number, reset_seconds: number} | null
create or replace function public.take_account_limit(
  p_action text,
  p_user_id uuid,
  p_limit integer,
  p_window_seconds integer
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
  v_state jsonb;
begin
  if v_user_id is null then
    return null;
  end if;
  v_state := public.rate_limit_state(p_action, v_user_id, null, p_limit, make_interval(secs => p_window_seconds));
  if (v_state ->> 'allowed')::boolean then
    insert into public.rate_limit_log (action, user_id) values (p_action, v_user_id);
    v_state := v_state || jsonb_build_object('remaining', (v_state ->> 'remaining')::integer - 1);
  end if;
  return v_state;
end
$$;
