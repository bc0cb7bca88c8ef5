-- Adds rows to the figures of their days, each once: at most `p_limit` of each kind, up to what an earlier call has noted. `is_limited`:
-- there is more to count. `has_advanced`: another call may count what was noted meanwhile. Null: another process counts.
-- Of two rows, the one with the lower number or time may be committed later. So rows are counted ten seconds after they were noted,
-- once every transaction that was running has ended; a minute is enough: no statement of the server runs for as long.
-- @returns {is_limited: boolean, has_advanced: boolean} | null
create or replace function public.count_days(p_limit integer default 5000) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_ledger_seq bigint;
  v_error_id bigint;
  v_progress public.day_progress;
  v_xid xid8;
  v_age interval;
  v_bounds record;
begin
  -- Before this transaction has an id: those that were running when this was read have lower ones.
  select coalesce(max(seq), 0) into v_ledger_seq from public.quota_log;
  select coalesce(max(id), 0) into v_error_id from public.error_log;
  select * into v_progress from public.day_progress for update skip locked;
  if not found then
    return null;
  end if;
  v_xid := pg_current_xact_id();
  v_age := now() - v_progress.noted_at;
  if v_age < interval '10 seconds'
    or (pg_snapshot_xmin(pg_current_snapshot()) < v_progress.noted_xid and v_age < interval '1 minute')
  then
    return jsonb_build_object('is_limited', false, 'has_advanced', false);
  end if;

  select * into v_bounds
  from public.day_bounds(p_limit, v_progress.noted_ledger_seq, v_progress.noted_error_id, v_progress.noted_at);
  insert into public.day_figures as f (day, figures)
  select u.day, jsonb_object_agg(u.figure, u.amounts)
  from (
    select day, figure, jsonb_object_agg(subject, amount) as amounts
    from public.uncounted_figures(v_bounds.ledger_seq, v_bounds.error_id, v_bounds.jobs_at, v_bounds.attempts_at)
    group by day, figure
  ) u
  group by u.day
  on conflict (day) do update set figures = public.add_figures(f.figures, excluded.figures);
  -- Jobs are counted in the order of their end, so the days before the last of them have all theirs.
  update public.day_figures
  set figures = figures - 'duration' || jsonb_build_object('seconds', public.seconds_of(figures -> 'duration'))
  where day < (v_bounds.jobs_at at time zone 'utc')::date and figures ? 'duration';

  update public.day_progress
  set ledger_seq = v_bounds.ledger_seq,
      error_id = v_bounds.error_id,
      jobs_at = v_bounds.jobs_at,
      attempts_at = v_bounds.attempts_at;
  if not v_bounds.is_limited then
    update public.day_progress
    set noted_ledger_seq = v_ledger_seq, noted_error_id = v_error_id, noted_xid = v_xid, noted_at = now();
  end if;
  return jsonb_build_object('is_limited', v_bounds.is_limited, 'has_advanced', true);
end
$$;
