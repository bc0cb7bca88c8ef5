-- The beginning of every change by an administrator, before its first lock. Null: go on. Otherwise what to return: the session has ended,
-- the key was used for another request, or this request was answered before. One administrator's changes come one after the
-- other, so that of two with one key the second finds the first's response, and none happens after a revocation.
-- `p_by` says who asks: {admin_user_id, session_id, idempotency_key, request_hash}; the owner on the command line has no
-- administrator and no session.
-- @returns {outcome: 'session_ended' | 'key_reused'} | {outcome: 'replayed', status_code: number, response: Json} | null
create or replace function public.begin_admin_action(p_by jsonb, p_operation text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_admin_user_id uuid := (p_by ->> 'admin_user_id')::uuid;
begin
  if v_admin_user_id is null then
    -- `role` is what the session has set, whoever owns this function: the server always acts as rendio_server.
    if current_setting('role') <> 'none' then
      return jsonb_build_object('outcome', 'session_ended');
    end if;
    return null;
  end if;
  perform from public.administrators where user_id = v_admin_user_id and revoked_at is null for update;
  if not found or not exists (
    select from public.admin_sessions
    where id = (p_by ->> 'session_id')::uuid
      and admin_user_id = v_admin_user_id
      and ended_at is null
      and expires_at > clock_timestamp()
  ) then
    return jsonb_build_object('outcome', 'session_ended');
  end if;
  return public.find_response(
    v_admin_user_id, (p_by ->> 'idempotency_key')::uuid, p_operation, p_by ->> 'request_hash'
  );
end
$$;
