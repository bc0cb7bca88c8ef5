-- Deducts credits for a reason, never more than the balance.
-- @returns {success: true, credits_remaining: number}
--   | {success: false, error: 'Invalid amount' | 'User not found'}
--   | {success: false, error: 'Insufficient credits', current_credits: number, required_credits: number}
create or replace function public.deduct_credits(
  p_user_id uuid,
  p_amount integer,
  p_reason text default 'video_generation',
  p_job_id uuid default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
begin
  if p_amount is null or p_amount <= 0 then
    return jsonb_build_object('success', false, 'error', 'Invalid amount');
  end if;

  v_user := public.lock_account(p_user_id);
  if v_user.id is null then
    return jsonb_build_object('success', false, 'error', 'User not found');
  end if;
  -- What has expired is not spent, even before the sweep has seen it.
  v_user.credits_remaining := v_user.credits_remaining - public.expire_lots(v_user.id);

  if v_user.credits_remaining < p_amount then
    return jsonb_build_object(
      'success', false,
      'error', 'Insufficient credits',
      'current_credits', v_user.credits_remaining,
      'required_credits', p_amount
    );
  end if;

  return jsonb_build_object(
    'success', true,
    'credits_remaining', public.apply_credits(v_user.id, -p_amount, p_reason, p_job_id, null)
  );
end
$$;
