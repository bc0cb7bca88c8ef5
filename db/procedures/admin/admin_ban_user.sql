-- Bans an account: from this transaction on its tokens open nothing, and its event streams end. A merged guest's id bans the
-- survivor. An account that is banned already stays as it is.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found'}
create or replace function public.admin_ban_user(p_by jsonb, p_user_id uuid, p_reason text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_ban_user');
  v_user public.users;
  v_response constant jsonb := jsonb_build_object('success', true);
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  v_user := public.lock_account(p_user_id);
  if v_user.id is null then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  insert into public.user_bans (user_id, reason) values (v_user.id, p_reason) on conflict (user_id) do nothing;
  if not found then
    return public.answer_admin_action(p_by, 'admin_ban_user', v_response);
  end if;
  return public.finish_admin_action(
    p_by, 'admin_ban_user', 'user_ban', p_reason, jsonb_build_object('user_id', v_user.id), v_response
  );
end
$$;
