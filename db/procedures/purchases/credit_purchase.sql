-- Credits a store's verified transaction to its owner, once for ever. `p_caller_id`: the account that asks; null: the store itself
-- told us. `p_token`: the account that the purchase names. The store's product says how many credits, times the quantity.
-- `foreign`: it belongs to another account, or names one that does not exist (any more). `no_owner`: nobody knows whose it is.
-- `refunded`: it was refunded before anybody was credited.
-- @returns {
--     outcome: 'credited', user_id: string, credits_added: number, credits_remaining: number, status_code: number, response: Json
--   }
--   | {outcome: 'repeated', credits_remaining: number}
--   | {outcome: 'replayed', status_code: number, response: Json}
--   | {outcome: 'foreign' | 'no_owner' | 'refunded' | 'unknown_product' | 'too_many' | 'user_not_found' | 'key_reused'}
create or replace function public.credit_purchase(
  p_store text,
  p_environment text,
  p_transaction_id text,
  p_product_id text,
  p_quantity integer,
  p_caller_id uuid default null,
  p_token uuid default null,
  p_purchased_at timestamptz default null,
  p_price_milliunits bigint default null,
  p_currency text default null,
  p_idempotency_key uuid default null,
  p_request_hash text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
  v_purchase public.purchases;
  v_owner_id uuid;
  v_credits bigint;
  v_balance integer;
  v_earlier jsonb;
  v_response jsonb;
begin
  if p_caller_id is null and p_token is null then
    return jsonb_build_object('outcome', 'no_owner');
  end if;
  perform public.lock_transaction(p_store, p_transaction_id);
  v_user := public.lock_account(coalesce(p_caller_id, p_token));
  if v_user.id is null then
    return jsonb_build_object('outcome', case when p_caller_id is null then 'foreign' else 'user_not_found' end);
  end if;
  v_earlier := public.find_response(v_user.id, p_idempotency_key, 'update_credits', p_request_hash);
  if v_earlier is not null then
    return v_earlier;
  end if;
  select * into v_purchase
  from public.purchases
  where store = p_store and transaction_id = p_transaction_id
  for update;
  -- In the ledger alone: given by add_credits, by an operator or by a version without purchases.
  v_owner_id := coalesce(
    v_purchase.user_id,
    (select public.survivor_of(user_id) from public.quota_log where transaction_id = p_transaction_id)
  );
  if v_owner_id is not null then
    if v_owner_id <> v_user.id then
      return jsonb_build_object('outcome', 'foreign');
    end if;
    return jsonb_build_object('outcome', 'repeated', 'credits_remaining', v_user.credits_remaining);
  end if;
  if p_token is not null and public.survivor_of(p_token) <> v_user.id then
    return jsonb_build_object('outcome', 'foreign');
  end if;
  if v_purchase.is_refunded then
    return jsonb_build_object('outcome', 'refunded');
  end if;
  select (credits + bonus_credits)::bigint * p_quantity into v_credits
  from public.products
  where product_id = p_product_id;
  if v_credits is null then
    return jsonb_build_object('outcome', 'unknown_product');
  end if;
  -- Far below the largest integer, so that no balance can overflow.
  if greatest(v_user.credits_remaining, 0)::bigint + v_credits > 1000000000 then
    return jsonb_build_object('outcome', 'too_many');
  end if;

  insert into public.purchases (
    store, environment, transaction_id, user_id, product_id, quantity, credits, price_milliunits, currency, purchased_at
  )
  values (
    p_store, p_environment, p_transaction_id, v_user.id, p_product_id, p_quantity, v_credits, p_price_milliunits, p_currency,
    p_purchased_at
  )
  -- A row without a user: a refund that was reversed before anybody was credited.
  on conflict (store, transaction_id) do update
  set user_id = excluded.user_id,
      product_id = excluded.product_id,
      quantity = excluded.quantity,
      credits = excluded.credits,
      price_milliunits = excluded.price_milliunits,
      currency = excluded.currency,
      purchased_at = excluded.purchased_at
  returning * into v_purchase;
  -- What the store has told about it before it was known whose it is.
  update public.store_notifications
  set user_id = v_user.id
  where transaction_id = p_transaction_id and store = p_store and user_id is null;
  v_balance := public.apply_credits(
    v_user.id, v_credits::integer, 'iap_purchase', null, p_transaction_id, v_purchase.id
  );
  if v_balance is null then
    raise exception 'transaction % is in the ledger, but not among the purchases', p_transaction_id
      using errcode = 'unique_violation';
  end if;
  perform public.schedule_webhook(
    v_user.id,
    'purchase.completed',
    jsonb_build_object(
      'user_id', v_user.id, 'purchase_id', v_purchase.id, 'store', p_store, 'environment', p_environment,
      'transaction_id', p_transaction_id, 'product_id', p_product_id, 'quantity', p_quantity, 'credits', v_credits,
      'price_milliunits', p_price_milliunits, 'currency', p_currency
    )
  );
  v_response := jsonb_build_object(
    'success', true, 'credits_added', v_credits, 'credits_remaining', v_balance, 'total_credits', v_balance
  );
  if p_idempotency_key is not null then
    perform public.store_response(v_user.id, p_idempotency_key, 'update_credits', p_request_hash, v_response);
  end if;
  return jsonb_build_object(
    'outcome', 'credited', 'user_id', v_user.id, 'credits_added', v_credits, 'credits_remaining', v_balance,
    'status_code', 200, 'response', v_response
  );
end
$$;
