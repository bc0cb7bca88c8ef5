-- Adds credits for a reason, to the survivor of a merged guest. With a transaction id, they are added at most once; with
-- `p_expires_at` (never for a purchase), what is not spent by then expires.
-- @returns {success: true, credits_added: number, credits_remaining: number}
--   | {success: false, error: 'Invalid amount' | 'User not found' | 'Transaction already processed'}
create or replace function public.add_credits(
  p_user_id uuid,
  p_amount integer,
  p_reason text,
  p_transaction_id text default null,
  p_job_id uuid default null,
  p_expires_at timestamptz default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
  v_balance integer;
begin
  if p_amount is null or p_amount <= 0 then
    return jsonb_build_object('success', false, 'error', 'Invalid amount');
  end if;

  v_user := public.lock_account(p_user_id);
  if v_user.id is null then
    return jsonb_build_object('success', false, 'error', 'User not found');
  end if;

  -- Far below the largest integer, so that no balance can overflow.
  if greatest(v_user.credits_remaining, 0)::bigint + p_amount > 1000000000 then
    return jsonb_build_object('success', false, 'error', 'Invalid amount');
  end if;

  v_balance := public.apply_credits(v_user.id, p_amount, p_reason, p_job_id, p_transaction_id, null, p_expires_at);
  if v_balance is null then
    return jsonb_build_object('success', false, 'error', 'Transaction already processed');
  end if;

  return jsonb_build_object('success', true, 'credits_added', p_amount, 'credits_remaining', v_balance);
end
$$;
