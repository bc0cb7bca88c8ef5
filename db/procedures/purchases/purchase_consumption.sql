-- How much of a purchase has been spent and not come back, running generations included. Null: it was never credited.
-- @returns {credits: number, consumed: number} | null
create or replace function public.purchase_consumption(p_store text, p_transaction_id text) returns jsonb
language sql
stable
security definer
set search_path = ''
as $$
  select jsonb_build_object(
    'credits', p.credits,
    'consumed', least(greatest(-coalesce(spent.change, 0), 0), p.credits)
  )
  from public.purchases p
  cross join lateral (
    -- Repaying a debt is spending, and so is paying for another purchase's refund; what its own refunds moved is not.
    select sum(m.change) as change
    from public.credit_lots l
    join public.lot_movements m on m.lot_id = l.id
    join public.quota_log q on q.id = m.ledger_id
    where l.purchase_id = p.id and (q.purchase_id is distinct from p.id or q.reason = 'iap_purchase')
  ) spent
  where p.store = p_store and p.transaction_id = p_transaction_id and p.credits > 0
$$;
