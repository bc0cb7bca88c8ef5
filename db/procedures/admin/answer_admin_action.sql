-- Returns what a change by an administrator returns, and stores the response under the key, if one was sent. Alone it ends a change
-- that had nothing to change: an account that is banned already, say.
-- @returns {outcome: 'done', status_code: number, response: Json}
create or replace function public.answer_admin_action(p_by jsonb, p_operation text, p_response jsonb) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
begin
  if p_by ->> 'admin_user_id' is not null and p_by ->> 'idempotency_key' is not null then
    perform public.store_response(
      (p_by ->> 'admin_user_id')::uuid,
      (p_by ->> 'idempotency_key')::uuid,
      p_operation,
      p_by ->> 'request_hash',
      p_response
    );
  end if;
  return jsonb_build_object('outcome', 'done', 'status_code', 200, 'response', p_response);
end
$$;
