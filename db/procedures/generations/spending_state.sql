-- Whether an account may spend `p_price` more credits within a day: what its generations of the last 24 hours cost, without those
-- that were refunded, and what its merged guests spent. Read from the newest ledger rows back, so it costs what the day's rows cost and
-- needs no index of its own. Called under the account's lock, which orders the ledger.
create or replace function public.spending_state(p_user_id uuid, p_price integer, p_limit integer) returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_start timestamptz := v_now - interval '1 day';
  v_rows integer := 32;
  v_is_cut boolean;
  v_credits integer[];
  v_times timestamptz[];
  v_spent integer;
  v_reset timestamptz;
begin
  loop
    select
      array_agg(-q.change) filter (where q.counts),
      array_agg(q.created_at) filter (where q.counts),
      -- The day may go on behind the last row that was read.
      bool_or(q.number = v_rows and q.created_at > v_start)
    into v_credits, v_times, v_is_cut
    from (
      select
        newest.*,
        newest.created_at > v_start and newest.reason = 'video_generation' and not exists (
          select from public.quota_log r where r.job_id = newest.job_id and r.reason = 'generation_failed_refund'
        ) as counts
      from unnest(public.ids_of_account(p_user_id)) as account(id)
      cross join lateral (
        select l.job_id, l.change, l.reason, l.created_at, row_number() over (order by l.seq desc) as number
        from public.quota_log l
        where l.user_id = account.id
        order by l.seq desc
        limit v_rows
      ) newest
    ) q;
    exit when v_is_cut is not true;
    v_rows := v_rows * 8;
  end loop;
  v_spent := coalesce((select sum(credits) from unnest(v_credits) as credits), 0);
  if v_spent + p_price > p_limit then
    -- There is room again once enough of what was spent first is a day old.
    select min(s.spent_at) + interval '1 day' into v_reset
    from (
      select spent_at, sum(credits) over (order by spent_at) as freed
      from unnest(v_credits, v_times) as charge(credits, spent_at)
    ) s
    where v_spent - s.freed + p_price <= p_limit;
  end if;
  return jsonb_build_object(
    'limit', p_limit,
    'window_seconds', 86400,
    'remaining', greatest(p_limit - v_spent, 0),
    'reset_seconds', greatest(1, ceil(extract(epoch from coalesce(v_reset, v_now + interval '1 day') - v_now)))::integer,
    'allowed', v_spent + p_price <= p_limit
  );
end
$$;
