-- Stores the response of an operation under the user's idempotency key, in the transaction that did the work. An expired key
-- may be used again; the primary key prevents a second response under a key that has not expired.
create or replace function public.store_response(
  p_user_id uuid,
  p_idempotency_key uuid,
  p_operation text,
  p_request_hash text,
  p_response jsonb,
  p_job_id uuid default null
) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  delete from public.idempotency_log
  where user_id = p_user_id and idempotency_key = p_idempotency_key and expires_at <= clock_timestamp();
  insert into public.idempotency_log (
    user_id, idempotency_key, job_id, operation_type, request_hash, response_data, status_code
  )
  values (p_user_id, p_idempotency_key, p_job_id, p_operation, p_request_hash, p_response, 200);
end
$$;
