-- Corrects a balance by an administrator's decision, up or down, never below zero. `credits_total`, what was earned, stays.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found' | 'invalid_amount'}
--   | {outcome: 'below_zero', credits_remaining: number}
create or replace function public.admin_adjust_credits(p_by jsonb, p_user_id uuid, p_amount integer, p_reason text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_adjust_credits');
  v_user public.users;
  v_moved jsonb;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  v_user := public.lock_account(p_user_id);
  if v_user.id is null then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  if p_amount < 0 then
    v_moved := public.deduct_credits(v_user.id, -p_amount, 'admin_adjustment');
  else
    v_moved := public.add_credits(v_user.id, p_amount, 'admin_adjustment');
  end if;
  if not (v_moved ->> 'success')::boolean then
    return case
      when v_moved ? 'current_credits'
        then jsonb_build_object('outcome', 'below_zero', 'credits_remaining', v_moved -> 'current_credits')
      else jsonb_build_object('outcome', 'invalid_amount')
    end;
  end if;
  return public.finish_admin_action(
    p_by, 'admin_adjust_credits', 'credit_adjustment', p_reason,
    jsonb_build_object('user_id', v_user.id, 'amount', p_amount),
    jsonb_build_object('success', true, 'new_balance', v_moved -> 'credits_remaining')
  );
end
$$;
