-- What the operators read later; request_data arrives redacted.
create or replace function public.log_error(
  p_user_id uuid,
  p_error_code text,
  p_endpoint text,
  p_request_data jsonb,
  p_error_details jsonb
) returns void
language sql
security definer
set search_path = ''
as $$
  insert into public.error_log (user_id, error_code, endpoint, request_data, error_details)
  select (select id from public.users where id = p_user_id), p_error_code, left(p_endpoint, 200), p_request_data, p_error_details
$$;

-- Keeps 7 days: far more than the longest window that a limit looks back on.
create or replace function public.cleanup_rate_limit_logs() returns integer
language sql
security definer
set search_path = ''
as $$
  with gone as (
    delete from public.rate_limit_log where created_at < now() - interval '7 days' returning 1
  )
  select count(*)::integer from gone
$$;

-- Removes what has served its time. Never a user, a job or a ledger row.
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
  -- A stream resumes from the last event it saw; after a day an app reads the list anew instead.
  delete from public.user_events where created_at < now() - interval '1 day';
  get diagnostics v_events = row_count;
  -- Expired a month ago: long enough for "session expired" to be told apart from "never heard of".
  delete from public.sessions where expires_at < now() - interval '30 days';
  get diagnostics v_sessions = row_count;
  delete from public.error_log where created_at < now() - interval '90 days';
  get diagnostics v_errors = row_count;
  -- Their senders repeat an event for hours at most.
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
