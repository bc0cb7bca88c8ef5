-- Deletes up to `p_limit` rows of each log whose retention has passed, the oldest first; never a user, a job or a ledger row.
-- Returns how many, by kind; the caller repeats it until no kind reaches the limit, so that no statement runs for long.
-- Rows that another call holds are left to the next time: a merge locks many of an account's, in an order of its own.
-- @returns {
--   rate_limit_rows: number, idempotency_keys: number, events: number, sessions: number, errors: number,
--   provider_events: number, apple_notifications: number, identity_tokens: number, alerts: number
-- }
create or replace function public.prune_logs(p_limit integer default 1000, p_error_log_days integer default 90) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_rate_limit_rows integer;
  v_keys integer;
  v_events integer;
  v_sessions integer;
  v_errors integer;
  v_provider_events integer;
  v_apple_notifications integer;
  v_identity_tokens integer;
  v_alerts integer;
begin
  delete from public.rate_limit_log
  where id in (
    select id
    from public.rate_limit_log
    where created_at < now() - interval '7 days'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_rate_limit_rows = row_count;
  delete from public.idempotency_log
  where (user_id, idempotency_key) in (
    select user_id, idempotency_key
    from public.idempotency_log
    where expires_at < now()
    order by expires_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_keys = row_count;
  -- A stream resumes after the last event it sent; after a day the app reads the list again instead.
  delete from public.user_events
  where id in (
    select id
    from public.user_events
    where created_at < now() - interval '1 day'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_events = row_count;
  -- Kept for a month after the end, so that "session expired" and "no such session" remain two answers.
  delete from public.sessions
  where id in (
    select id
    from public.sessions
    where expires_at < now() - interval '30 days'
    order by expires_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_sessions = row_count;
  delete from public.error_log
  where id in (
    select id
    from public.error_log
    where created_at < now() - make_interval(days => p_error_log_days)
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_errors = row_count;
  -- Vendors resend an event for hours at most.
  delete from public.provider_events
  where id in (
    select id
    from public.provider_events
    where created_at < now() - interval '30 days'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_provider_events = row_count;
  delete from public.apple_account_notifications
  where notification_id in (
    select notification_id
    from public.apple_account_notifications
    where created_at < now() - interval '90 days'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_apple_notifications = row_count;
  -- An expired token is refused by its own date.
  delete from public.used_identity_tokens
  where token_hash in (
    select token_hash
    from public.used_identity_tokens
    where expires_at < now() - interval '1 day'
    order by expires_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_identity_tokens = row_count;
  delete from public.alerts
  where id in (
    select id
    from public.alerts
    where created_at < now() - interval '90 days'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_alerts = row_count;
  return jsonb_build_object(
    'rate_limit_rows', v_rate_limit_rows,
    'idempotency_keys', v_keys,
    'events', v_events,
    'sessions', v_sessions,
    'errors', v_errors,
    'provider_events', v_provider_events,
    'apple_notifications', v_apple_notifications,
    'identity_tokens', v_identity_tokens,
    'alerts', v_alerts
  );
end
$$;
