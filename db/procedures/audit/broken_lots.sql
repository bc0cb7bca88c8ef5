-- What is wrong with the lots of a range of users and with their movements: see broken_invariants.
create or replace function public.broken_lots(p_after uuid, p_until uuid)
returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
-- A plan for any range would read the whole tables.
set plan_cache_mode = force_custom_plan
as $$
declare
  v_last_seq bigint := (select last_seq_without_lots from public.audit_progress);
begin
  return query
  select 'lots hold the balance', u.id, jsonb_build_object('balance', u.credits_remaining, 'held', coalesce(l.held, 0))
  from public.users u
  left join (
    select c.user_id, sum(c.remaining) as held
    from public.credit_lots c
    where c.user_id > p_after and c.user_id <= p_until and c.is_open
    group by c.user_id
  ) l on l.user_id = u.id
  where u.id > p_after and u.id <= p_until and coalesce(l.held, 0) <> greatest(u.credits_remaining, 0);

  return query
  select 'a lot is its amount and its movements', c.id,
    jsonb_build_object('user_id', c.user_id, 'amount', c.amount, 'movements', m.moved, 'remaining', c.remaining)
  from public.credit_lots c
  cross join lateral (
    select coalesce(sum(change), 0) as moved from public.lot_movements where lot_id = c.id
  ) m
  where c.user_id > p_after and c.user_id <= p_until and c.amount + m.moved <> c.remaining;

  return query
  select 'a ledger row changes the lots as much as the balance', q.id,
    jsonb_build_object('user_id', q.user_id, 'reason', q.reason, 'expected', e.expected, 'in_lots', m.opened + m.moved)
  from public.quota_log q
  cross join lateral (
    select case
      -- Before there were lots.
      when q.seq <= v_last_seq then 0
      else greatest(q.balance_after, 0) - greatest(q.balance_after - q.change, 0)
    end as expected
  ) e
  cross join lateral (
    select
      coalesce((select sum(amount) from public.credit_lots where ledger_id = q.id), 0) as opened,
      coalesce((select sum(change) from public.lot_movements where ledger_id = q.id), 0) as moved
  ) m
  where q.user_id > p_after and q.user_id <= p_until
    -- Its lots change their owner instead.
    and q.reason <> 'account_merge'
    and m.opened + m.moved <> e.expected;

  -- And no lot says that it was changed by a row that is not there.
  return query
  select 'a ledger row changes the lots as much as the balance', x.ledger_id,
    jsonb_build_object('user_id', c.user_id, 'reason', 'there is no such row', 'expected', 0, 'in_lots', sum(x.change))
  from public.credit_lots c
  cross join lateral (
    select c.ledger_id, c.amount as change where c.ledger_id is not null
    union all
    select m.ledger_id, m.change from public.lot_movements m where m.lot_id = c.id
  ) x
  where c.user_id > p_after and c.user_id <= p_until
    and not exists (select from public.quota_log q where q.id = x.ledger_id)
  group by x.ledger_id, c.user_id;

  return query
  select 'lots and purchases belong to accounts', x.id, jsonb_build_object('kind', x.kind, 'user_id', x.user_id)
  from (
    select c.id, 'lot' as kind, c.user_id
    from public.credit_lots c
    where c.user_id > p_after and c.user_id <= p_until
    union all
    select p.id, 'purchase', p.user_id
    from public.purchases p
    where p.user_id > p_after and p.user_id <= p_until
  ) x
  where not exists (select from public.users u where u.id = x.user_id);
end
$$;
