-- The violations that ledger rows show, with their lots and purchases: see broken_by_changes.
create or replace function public.broken_by_rows(p_after_seq bigint, p_until_seq bigint)
returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_last_seq bigint := (select last_seq_without_lots from public.audit_progress);
begin
  return query
  select v.*
  from public.quota_log q
  cross join lateral (
    select coalesce(
      (select o.balance_after from public.quota_log o where o.user_id = q.user_id and o.seq < q.seq order by o.seq desc limit 1), 0
    ) as balance_before
  ) b
  cross join lateral (
    select case
      when q.seq <= v_last_seq then 0
      else greatest(q.balance_after, 0) - greatest(q.balance_after - q.change, 0)
    end as expected,
    -- Only a row that adds credits opens a lot. One that a charge had opened would hold more than the balance.
    coalesce((select sum(amount) from public.credit_lots where ledger_id = q.id and q.change > 0), 0)
    + coalesce((select sum(change) from public.lot_movements where ledger_id = q.id), 0) as in_lots
  ) m
  cross join lateral (
    select 'every row carries the balance after it', q.id,
      jsonb_build_object(
        'user_id', q.user_id, 'balance_before', b.balance_before, 'change', q.change, 'balance_after', q.balance_after
      )
    where q.balance_after <> b.balance_before::bigint + q.change
    union all
    select 'nothing but a store''s refund leaves a debt', q.id,
      jsonb_build_object('user_id', q.user_id, 'reason', q.reason, 'change', q.change, 'balance_after', q.balance_after)
    where q.balance_after < 0 and q.change < 0 and q.reason not in ('apple_refund', 'store_refund', 'account_merge')
    union all
    select 'an account has one initial grant', q.user_id, jsonb_build_object('grants', g.grants)
    from (
      select count(*) as grants from public.quota_log o where o.user_id = q.user_id and o.reason = 'initial_grant'
    ) g
    where q.reason = 'initial_grant' and g.grants > 1
    union all
    select 'a transaction is credited once', q.id,
      jsonb_build_object('user_id', q.user_id, 'transaction_id', q.transaction_id, 'change', q.change)
    where q.transaction_id is not null
      and exists (select from public.quota_log o where o.transaction_id = q.transaction_id and o.seq < q.seq)
    union all
    select 'a ledger row changes the lots as much as the balance', q.id,
      jsonb_build_object('user_id', q.user_id, 'reason', q.reason, 'expected', m.expected, 'in_lots', m.in_lots)
    where q.reason <> 'account_merge' and m.in_lots <> m.expected
  ) v
  where q.seq > p_after_seq and q.seq <= p_until_seq;

  return query
  select 'a lot is its amount and its movements', c.id,
    jsonb_build_object('user_id', c.user_id, 'amount', c.amount, 'movements', s.moved, 'remaining', c.remaining)
  from (
    select l.id
    from public.quota_log q
    join public.credit_lots l on l.ledger_id = q.id
    where q.seq > p_after_seq and q.seq <= p_until_seq and q.change > 0
    union
    select m.lot_id
    from public.quota_log q
    join public.lot_movements m on m.ledger_id = q.id
    where q.seq > p_after_seq and q.seq <= p_until_seq
  ) touched
  join public.credit_lots c on c.id = touched.id
  cross join lateral (
    select coalesce(sum(change), 0) as moved from public.lot_movements where lot_id = c.id
  ) s
  -- Larger lots than any product's have too many movements to be read every minute: the check of everything reads them.
  where c.amount <= 10000 and c.amount + s.moved <> c.remaining;

  return query
  select distinct 'lots and purchases belong to accounts', c.id, jsonb_build_object('kind', 'lot', 'user_id', c.user_id)
  from public.quota_log q
  join public.credit_lots c on c.ledger_id = q.id and q.change > 0
  where q.seq > p_after_seq and q.seq <= p_until_seq and not exists (select from public.users u where u.id = c.user_id);

  return query
  select distinct 'a purchase is what its ledger rows say', q.purchase_id,
    jsonb_build_object(
      'user_id', coalesce(p.user_id, q.user_id), 'credits', coalesce(p.credits, 0), 'taken_back', coalesce(p.taken_back, 0),
      'credited', m.credited, 'taken', m.taken,
      'rows', m.rows, 'of_others', m.others
    )
  from public.quota_log q
  left join public.purchases p on p.id = q.purchase_id
  cross join lateral (
    select
      coalesce(sum(o.change) filter (where o.reason = 'iap_purchase'), 0) as credited,
      -coalesce(sum(o.change) filter (where o.reason <> 'iap_purchase'), 0) as taken,
      count(*) filter (where o.reason = 'iap_purchase') as rows,
      count(*) filter (where coalesce(g.survivor_id, o.user_id) is distinct from p.user_id) as others
    from public.quota_log o
    left join public.merged_users g on g.user_id = o.user_id
    where o.purchase_id = q.purchase_id
  ) m
  where q.seq > p_after_seq and q.seq <= p_until_seq and q.purchase_id is not null
    and (p.user_id is null or p.credits <> m.credited or p.taken_back <> m.taken or m.rows > 1 or m.others > 0);
end
$$;
