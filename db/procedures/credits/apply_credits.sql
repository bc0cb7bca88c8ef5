-- The only procedure that writes users.credits_remaining and quota_log: one ledger row, the balance that follows from it, the lots
-- that pay or receive it, an event, and an outgoing webhook. (move_balance carries users.credits_total over.) Returns the balance, after the expiry of
-- what came back to an expired lot. Null: p_transaction_id was used before. The caller holds the user's row lock and has checked
-- the amount.
create or replace function public.apply_credits(
  p_user_id uuid,
  p_change integer,
  p_reason text,
  p_job_id uuid,
  p_transaction_id text,
  p_purchase_id uuid default null,
  p_expires_at timestamptz default null
) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id uuid;
  v_seq bigint;
  v_balance integer;
  v_is_living boolean;
begin
  insert into public.quota_log (user_id, job_id, change, reason, transaction_id, balance_after, purchase_id)
  select p_user_id, p_job_id, p_change, p_reason, p_transaction_id, u.credits_remaining + p_change, p_purchase_id
  from public.users u
  where u.id = p_user_id
  on conflict (transaction_id) do nothing
  returning id, seq, balance_after into v_id, v_seq, v_balance;
  if not found then
    return null;
  end if;

  update public.users
  set credits_remaining = v_balance,
      -- Lifetime earned: grants and purchases, never refunds or corrections.
      credits_total = credits_total + case
        when p_reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed') then p_change
        else 0
      end,
      updated_at = now()
  where id = p_user_id
  returning deleted_at is null into v_is_living;

  if v_is_living then
    perform public.emit_event(
      p_user_id,
      'credits',
      p_job_id,
      -- The ledger row's id, by which an app recognises the same row in the history.
      jsonb_build_object('credits_remaining', v_balance, 'change', p_change, 'reason', p_reason, 'transaction_id', v_id)
    );
  end if;

  -- Asked here too: on a server without a receiver, to make the event would cost most of it.
  if (select sends_webhooks from public.settings) then
    perform public.schedule_webhook(
      p_user_id,
      'credits.changed',
      jsonb_build_object(
        'user_id', p_user_id, 'credits_remaining', v_balance, 'change', p_change, 'reason', p_reason, 'seq', v_seq,
        'ledger_id', v_id, 'job_id', p_job_id, 'purchase_id', p_purchase_id
      )
    );
  end if;

  if p_reason = 'account_merge' then
    -- Lots change their owner instead: move_balance.
    return v_balance;
  end if;
  if p_change < 0 then
    -- What is more than the balance becomes a debt, which no lot holds.
    perform public.take_from_lots(
      p_user_id, least(-p_change, greatest(v_balance - p_change, 0)), v_id, p_job_id, p_purchase_id
    );
    return v_balance;
  end if;
  perform public.give_to_lots(p_user_id, p_change, p_reason, v_id, p_job_id, p_purchase_id, p_expires_at);
  -- A debt is repaid before anything can be spent.
  perform public.take_from_lots(p_user_id, least(p_change, greatest(p_change - v_balance, 0)), v_id);
  return v_balance - public.expire_lots(p_user_id);
end
$$;
