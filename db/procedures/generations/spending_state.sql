-- Whether an account may spend `p_price` more credits within a day: what its generations of the last 24 hours cost, without those
-- that were refunded, and what its merged guests spent. Read from the newest ledger row back, so it costs what the day's rows cost.
-- Called under the account's lock, which orders the ledger.
create or replace function public.spending_state(p_user_id uuid, p_price integer, p_limit integer) returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_start timestamptz := v_now - interval '1 day';
  v_id uuid;
  v_row record;
  v_credits integer[] := '{}';
  v_times timestamptz[] := '{}';
  v_spent integer := 0;
  v_free integer := 0;
  v_reset timestamptz := v_now + interval '1 day';
begin
  foreach v_id in array public.ids_of_account(p_user_id) loop
    for v_row in
      select q.job_id, q.change, q.reason, q.created_at from public.quota_log q where q.user_id = v_id order by q.seq desc
    loop
      exit when v_row.created_at <= v_start;
      continue when v_row.reason <> 'video_generation' or exists (
        select from public.quota_log r where r.job_id = v_row.job_id and r.reason = 'generation_failed_refund'
      );
      v_credits := v_credits || -v_row.change;
      v_times := v_times || v_row.created_at;
      v_spent := v_spent - v_row.change;
    end loop;
  end loop;
  -- There is room again once enough of what was spent first is a day old.
  for v_row in select * from unnest(v_credits, v_times) as s(credits, spent_at) order by s.spent_at loop
    v_free := v_free + v_row.credits;
    if v_spent - v_free + p_price <= p_limit then
      v_reset := v_row.spent_at + interval '1 day';
      exit;
    end if;
  end loop;
  return jsonb_build_object(
    'limit', p_limit,
    'window_seconds', 86400,
    'remaining', greatest(p_limit - v_spent, 0),
    'reset_seconds', greatest(1, ceil(extract(epoch from v_reset - v_now)))::integer,
    'allowed', v_spent + p_price <= p_limit
  );
end
$$;
