-- Deletes rows whose retention has passed; never a user, a job or a ledger row. Returns how many, by kind.
-- @returns {
--   rate_limit_rows: number, idempotency_keys: number, events: number, sessions: number, errors: number,
--   provider_events: number
-- }
create or replace function public.prune_logs() returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_keys integer;
  v_events integer;
  v_sessions integer;
  v_errors integer;
  v_provider_events integer;
begin
  delete from public.idempotency_log where expires_at < now();
  get diagnostics v_keys = row_count;
  -- A stream resumes after the last event it sent; after a day the app reads the list again instead.
  delete from public.user_events where created_at < now() - interval '1 day';
  get diagnostics v_events = row_count;
  -- Kept for a month after the end, so that "session expired" and "no such session" remain two answers.
  delete from public.sessions where expires_at < now() - interval '30 days';
  get diagnostics v_sessions = row_count;
  delete from public.error_log where created_at < now() - interval '90 days';
  get diagnostics v_errors = row_count;
  -- Vendors resend an event for hours at most.
  delete from public.provider_events where created_at < now() - interval '30 days';
  get diagnostics v_provider_events = row_count;
  return jsonb_build_object(
    'rate_limit_rows', public.cleanup_rate_limit_logs(),
    'idempotency_keys', v_keys,
    'events', v_events,
    'sessions', v_sessions,
    'errors', v_errors,
    'provider_events', v_provider_events
  );
end
$$;
