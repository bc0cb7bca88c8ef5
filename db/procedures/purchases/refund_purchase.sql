-- Takes back what a store has refunded, or gives it back when the store has reversed its refund (`p_is_refund` = false). Of several
-- decisions about one transaction the newest (`p_decided_at`) counts, in whatever order they arrive. `p_percentage`: the refunded
-- share, in thousandths of a percent; null: all. `p_is_total`: it is the sum of what is refunded by now, so a smaller share than
-- before gives back the difference. A balance may become a debt. `not_credited`: nobody has been credited; after a refund nobody
-- will be.
-- @returns {outcome: 'taken_back' | 'given_back', user_id: string, credits: number, credits_remaining: number}
--   | {outcome: 'unchanged' | 'outdated' | 'not_credited'}
create or replace function public.refund_purchase(
  p_store text,
  p_environment text,
  p_transaction_id text,
  p_decided_at timestamptz,
  p_is_refund boolean,
  p_percentage integer default null,
  p_is_total boolean default false
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_owner_id uuid;
  v_purchase public.purchases;
  v_target integer;
  v_change integer;
  v_balance integer;
begin
  perform public.lock_transaction(p_store, p_transaction_id);
  -- The owner's row before the purchase's; a merge that was committed meanwhile has moved it.
  loop
    select user_id into v_owner_id from public.purchases where store = p_store and transaction_id = p_transaction_id;
    perform from public.users where id = v_owner_id for update;
    exit when not exists (
      select from public.purchases
      where store = p_store and transaction_id = p_transaction_id and user_id is distinct from v_owner_id
    );
  end loop;
  insert into public.purchases (store, environment, transaction_id)
  values (p_store, p_environment, p_transaction_id)
  on conflict (store, transaction_id) do nothing;
  select * into strict v_purchase
  from public.purchases
  where store = p_store and transaction_id = p_transaction_id
  for update;

  if v_purchase.refund_decided_at >= p_decided_at then
    return jsonb_build_object('outcome', 'outdated');
  end if;
  v_target := case
    when p_is_refund then floor(v_purchase.credits::numeric * least(greatest(coalesce(p_percentage, 100000), 0), 100000) / 100000)
    else 0
  end;
  v_change := v_purchase.taken_back - v_target;
  -- A further refund never gives back what an earlier one took.
  if p_is_refund and not p_is_total then
    v_change := least(v_change, 0);
  end if;
  update public.purchases
  set is_refunded = p_is_refund, refund_decided_at = p_decided_at, taken_back = taken_back - v_change
  where id = v_purchase.id;
  if v_purchase.user_id is null then
    return jsonb_build_object('outcome', 'not_credited');
  end if;
  if v_change = 0 then
    return jsonb_build_object('outcome', 'unchanged');
  end if;
  v_balance := public.apply_credits(
    v_purchase.user_id,
    v_change,
    case
      when p_store = 'apple' then case when v_change < 0 then 'apple_refund' else 'apple_refund_reversed' end
      else case when v_change < 0 then 'store_refund' else 'store_refund_reversed' end
    end,
    null,
    null,
    v_purchase.id
  );
  if v_change < 0 then
    perform public.schedule_webhook(
      v_purchase.user_id,
      'purchase.refunded',
      jsonb_build_object(
        'user_id', v_purchase.user_id, 'purchase_id', v_purchase.id, 'store', p_store, 'environment', v_purchase.environment,
        'transaction_id', p_transaction_id, 'product_id', v_purchase.product_id, 'credits', v_purchase.credits,
        'credits_taken_back', -v_change, 'credits_taken_back_total', v_target
      )
    );
  end if;
  return jsonb_build_object(
    'outcome', case when v_change < 0 then 'taken_back' else 'given_back' end,
    'user_id', v_purchase.user_id,
    'credits', abs(v_change),
    'credits_remaining', v_balance
  );
end
$$;
