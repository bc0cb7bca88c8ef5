-- How long rows are kept: one line for each kind. A table whose rows have a limited life gets a line here and an index on `age_column`
-- (and `condition`). Rows older than `keep` that meet `condition` are deleted or, with a `change`, changed so that they no longer
-- meet it. `keep` null: for ever. Ledger, lots, purchases, grants, accounts and unfinished jobs are in no line.
create or replace function public.retentions(
  p_error_log_days integer default 90,
  p_job_archive_days integer default null
) returns table (kind text, table_name text, age_column text, keep interval, condition text, change text)
language sql
immutable
set search_path = ''
as $$
  values
    -- The longest window of a limit is an hour.
    ('rate_limit_rows', 'rate_limit_log', 'created_at', interval '7 days', 'true', null),
    ('idempotency_keys', 'idempotency_log', 'expires_at', interval '0', 'true', null),
    -- A stream resumes after the last event it sent; after a day the app reads the list again instead.
    ('events', 'user_events', 'created_at', interval '1 day', 'true', null),
    -- As long as a session lives. The active token and its parent stay, whatever their age; before sessions, which then have few.
    (
      'refresh_tokens', 'refresh_tokens', 'created_at', interval '30 days',
      'generation < (select s.active_generation - 1 from public.sessions s where s.id = session_id)', null
    ),
    -- Kept for a month after the end, so that "session expired" and "no such session" remain two answers.
    ('sessions', 'sessions', 'expires_at', interval '30 days', 'true', null),
    ('admin_links', 'admin_links', 'expires_at', interval '1 day', 'true', null),
    ('admin_sessions', 'admin_sessions', 'expires_at', interval '1 day', 'true', null),
    ('errors', 'error_log', 'created_at', make_interval(days => p_error_log_days), 'true', null),
    -- Vendors resend an event for hours at most.
    ('provider_events', 'provider_events', 'created_at', interval '30 days', 'true', null),
    ('apple_notifications', 'apple_account_notifications', 'created_at', interval '90 days', 'true', null),
    -- An expired token is refused by its own date.
    ('identity_tokens', 'used_identity_tokens', 'expires_at', interval '1 day', 'true', null),
    ('alerts', 'alerts', 'created_at', interval '90 days', 'true', null),
    ('pushes', 'pushes', 'created_at', interval '30 days', 'true', null),
    ('webhook_deliveries', 'webhook_deliveries', 'created_at', interval '30 days', 'true', null),
    -- The row stays: it is why a purchase changed.
    (
      'notification_payloads', 'store_notifications', 'received_at', interval '180 days',
      'payload is not null and processed_at is not null', 'payload = null'
    ),
    -- What only operators read of old jobs: the causes of failures, and what vendors have said.
    (
      'job_causes', 'video_jobs', 'completed_at', make_interval(days => p_job_archive_days),
      'completed_at is not null and error_message is not null', 'error_message = null'
    ),
    (
      'attempt_errors', 'provider_attempts', 'created_at', make_interval(days => p_job_archive_days),
      '(error is not null or result_error is not null)', 'error = null, result_error = null'
    )
$$;
