-- Checks what has changed since the last check, at most `p_limit` ledger rows and as many jobs, and records what it finds. `new`: what
-- was not known. `is_limited`: there is more to check. `has_advanced`: another call may check what was noted meanwhile. Null: another
-- process checks.
-- Of two rows, the one with the lower seq may be committed later. So a call only notes how far the ledger goes; a later call checks up
-- to there, once every transaction that was running has ended. A minute is enough: no statement of the server runs for as long.
-- @returns {
--   rows: number, jobs: number, new: {invariant: string, subject: string, details: Json}[], is_limited: boolean, has_advanced: boolean
-- } | null
create or replace function public.check_changes(p_limit integer default 2000) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_newest bigint;
  v_progress public.audit_progress;
  v_xid xid8;
  v_snapshot pg_snapshot;
  v_is_settled boolean;
  v_seq bigint;
  v_rows integer;
  v_until timestamptz;
  v_jobs integer;
  v_violations jsonb;
begin
  -- Before this transaction has an id: those that were running when this was read have lower ones.
  select coalesce(max(seq), 0) into v_newest from public.quota_log;
  select * into v_progress from public.audit_progress for update skip locked;
  if not found then
    return null;
  end if;
  v_xid := pg_current_xact_id();
  v_snapshot := pg_current_snapshot();
  v_is_settled := pg_snapshot_xmin(v_snapshot) >= v_progress.noted_xid or v_progress.noted_at < now() - interval '1 minute';

  select count(*), max(seq)
  into v_rows, v_seq
  from (
    select seq
    from public.quota_log
    where v_is_settled and seq > v_progress.checked_seq and seq <= v_progress.noted_seq
    order by seq
    limit p_limit
  ) due;
  select count(*), max(completed_at)
  into v_jobs, v_until
  from (
    select completed_at
    from public.video_jobs
    where v_is_settled and completed_at > v_progress.checked_until and completed_at <= v_progress.noted_at
    order by completed_at
    limit p_limit
  ) due;
  if v_rows < p_limit then
    v_seq := case when v_is_settled then greatest(v_progress.noted_seq, v_progress.checked_seq) else v_progress.checked_seq end;
  end if;
  if v_jobs < p_limit then
    v_until := case when v_is_settled then greatest(v_progress.noted_at, v_progress.checked_until) else v_progress.checked_until end;
  end if;

  select coalesce(jsonb_agg(jsonb_build_object('invariant', b.invariant, 'subject', b.subject, 'details', b.details)), '[]')
  into v_violations
  from public.broken_by_changes(v_progress.checked_seq, v_seq, v_progress.checked_until, v_until) b;
  perform public.count_credits(v_seq);
  update public.audit_progress
  set checked_seq = v_seq, checked_until = v_until;
  if v_is_settled and v_rows < p_limit and v_jobs < p_limit then
    update public.audit_progress set noted_seq = v_newest, noted_xid = v_xid, noted_at = now();
  end if;
  return jsonb_build_object(
    'rows', v_rows,
    'jobs', v_jobs,
    'new', public.record_violations(v_violations),
    'is_limited', v_rows >= p_limit or v_jobs >= p_limit,
    'has_advanced', v_is_settled
  );
end
$$;
