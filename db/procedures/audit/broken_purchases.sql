-- What is wrong with the purchases of a range of users: see broken_invariants.
create or replace function public.broken_purchases(p_after uuid, p_until uuid)
returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
-- A plan for any range would read the whole tables.
set plan_cache_mode = force_custom_plan
as $$
begin
  return query
  select 'a purchase is what its ledger rows say', p.id,
    jsonb_build_object(
      'user_id', p.user_id, 'credits', p.credits, 'taken_back', p.taken_back, 'credited', m.credited, 'taken', m.taken,
      'rows', m.rows, 'of_others', m.others
    )
  from public.purchases p
  cross join lateral (
    select
      coalesce(sum(q.change) filter (where q.reason = 'iap_purchase'), 0) as credited,
      -coalesce(sum(q.change) filter (where q.reason <> 'iap_purchase'), 0) as taken,
      count(*) filter (where q.reason = 'iap_purchase') as rows,
      -- A merged guest's rows stay in its ledger, while its purchases are the survivor's.
      count(*) filter (where coalesce(g.survivor_id, q.user_id) <> p.user_id) as others
    from public.quota_log q
    left join public.merged_users g on g.user_id = q.user_id
    where q.purchase_id = p.id
  ) m
  where p.user_id > p_after and p.user_id <= p_until
    and (p.credits <> m.credited or p.taken_back <> m.taken or m.rows > 1 or m.others > 0);

  return query
  -- A purchase that is not there, or nobody's.
  select 'a purchase is what its ledger rows say', q.purchase_id,
    jsonb_build_object(
      'user_id', q.user_id, 'credits', 0, 'taken_back', 0,
      'credited', coalesce(sum(q.change) filter (where q.reason = 'iap_purchase'), 0),
      'taken', -coalesce(sum(q.change) filter (where q.reason <> 'iap_purchase'), 0),
      'rows', count(*) filter (where q.reason = 'iap_purchase'), 'of_others', count(*)
    )
  from public.quota_log q
  where q.user_id > p_after and q.user_id <= p_until and q.purchase_id is not null
    and not exists (select from public.purchases p where p.id = q.purchase_id and p.user_id is not null)
  group by q.purchase_id, q.user_id;

  return query
  select 'a transaction is credited once', q.id,
    jsonb_build_object('user_id', q.user_id, 'transaction_id', q.transaction_id, 'change', q.change)
  from public.quota_log q
  where q.user_id > p_after and q.user_id <= p_until and q.transaction_id is not null
    -- All but the first.
    and exists (select from public.quota_log o where o.transaction_id = q.transaction_id and o.seq < q.seq);
end
$$;
