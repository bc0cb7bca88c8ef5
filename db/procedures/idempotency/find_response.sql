-- Returns the response that was stored under a user's idempotency key. Null: the key is free, or none was sent.
-- Called under the user's row lock: of two concurrent calls with one key, the second waits and then finds the first's response.
-- @returns {outcome: 'key_reused'} | {outcome: 'replayed', status_code: number, response: Json} | null
create or replace function public.find_response(
  p_user_id uuid,
  p_idempotency_key uuid,
  p_operation text,
  p_request_hash text
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_logged public.idempotency_log;
begin
  select * into v_logged
  from public.idempotency_log
  where user_id = p_user_id and idempotency_key = p_idempotency_key and expires_at > clock_timestamp();
  if not found then
    return null;
  elsif v_logged.request_hash <> p_request_hash or v_logged.operation_type <> p_operation then
    return jsonb_build_object('outcome', 'key_reused');
  end if;
  return jsonb_build_object(
    'outcome', 'replayed',
    'status_code', v_logged.status_code,
    'response', v_logged.response_data
  );
end
$$;
