-- Gives an account credits back, by an administrator's decision. `credits_total`, what was earned, stays.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found' | 'invalid_amount'}
create or replace function public.admin_refund_credits(p_by jsonb, p_user_id uuid, p_amount integer, p_reason text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_refund_credits');
  v_user public.users;
  v_added jsonb;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  v_user := public.lock_account(p_user_id);
  if v_user.id is null then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  v_added := public.add_credits(v_user.id, p_amount, 'admin_refund');
  if not (v_added ->> 'success')::boolean then
    return jsonb_build_object('outcome', 'invalid_amount');
  end if;
  return public.finish_admin_action(
    p_by, 'admin_refund_credits', 'credit_refund', p_reason,
    jsonb_build_object('user_id', v_user.id, 'amount', p_amount),
    jsonb_build_object('success', true, 'new_balance', v_added -> 'credits_remaining')
  );
end
$$;
