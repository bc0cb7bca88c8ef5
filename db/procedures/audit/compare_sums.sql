-- Whether the parts of the money are proven to be right: 'generations' (else see broken_generations), 'lots' (broken_lots) and
-- 'purchases' (broken_purchases), with the number of rows that were read. Two tables that must say the same, such as jobs and their charges, are
-- compared by the sum of a hash over the rows of each: one pass over each table, without joins. The hashes differ from call to
-- call, so that sums of different rows are equal by chance once in two billion calls, and in the next call not again.
create or replace function public.compare_sums() returns table (part text, is_proven boolean, rows bigint)
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  v_seed bigint := (random() * 9e18)::bigint;
  v_last_seq bigint := (select last_seq_without_lots from public.audit_progress);
  -- Where amounts are multiplied: 31 bits, so that no product overflows.
  c_mask constant bigint := 2147483647;
  v_ledger record;
  v_jobs record;
  v_counted numeric;
  v_moved record;
  v_lots record;
  v_held numeric;
  v_bought record;
begin
  select
    -- Of each charge and refund: which job, whose, how much.
    sum(
      uuid_hash_extended(q.job_id, uuid_hash_extended(coalesce(g.survivor_id, q.user_id), hashint4extended(-q.change, v_seed)))
    ) filter (where q.reason = 'video_generation' and q.job_id is not null) as charges,
    sum(
      uuid_hash_extended(q.job_id, uuid_hash_extended(coalesce(g.survivor_id, q.user_id), hashint4extended(q.change, v_seed)))
    ) filter (where q.reason = 'generation_failed_refund' and q.job_id is not null) as refunds,
    -- Of each row: how much it changes what the lots hold.
    sum(
      (greatest(q.balance_after, 0) - greatest(q.balance_after - q.change, 0))::bigint
      * (uuid_hash_extended(q.id, v_seed) & c_mask)
    ) filter (where (q.seq > v_last_seq) is not false and q.reason <> 'account_merge') as in_lots,
    -- Of each purchase: whose, how much was credited and taken back.
    sum(
      q.change::bigint
      * (uuid_hash_extended(q.purchase_id, uuid_hash_extended(coalesce(g.survivor_id, q.user_id), v_seed)) & c_mask)
    ) filter (where q.purchase_id is not null) as bought,
    sum(uuid_hash_extended(q.purchase_id, hashint4extended(q.change, v_seed)))
      filter (where q.purchase_id is not null and q.reason = 'iap_purchase') as credited,
    count(*) as rows
  into v_ledger
  from public.quota_log q
  left join public.merged_users g on g.user_id = q.user_id;

  select
    sum(
      uuid_hash_extended(j.job_id, uuid_hash_extended(coalesce(g.survivor_id, j.user_id), hashint4extended(j.credits_used, v_seed)))
    ) as charges,
    sum(
      uuid_hash_extended(j.job_id, uuid_hash_extended(coalesce(g.survivor_id, j.user_id), hashint4extended(j.credits_used, v_seed)))
    ) filter (where j.status = 'failed') as refunds,
    sum(hashtextextended(j.status, uuid_hash_extended(j.user_id, v_seed)) & c_mask) filter (where j.deleted_at is null) as counted,
    count(*) filter (
      where j.status in ('pending', 'processing') and j.deadline_at < now() - interval '1 day'
    ) as overdue,
    count(*) as rows
  into v_jobs
  from public.video_jobs j
  left join public.merged_users g on g.user_id = j.user_id;
  select sum(c.jobs * (hashtextextended(c.status, uuid_hash_extended(c.user_id, v_seed)) & c_mask))
  into v_counted
  from public.job_counters c;
  part := 'generations';
  rows := v_ledger.rows + v_jobs.rows;
  is_proven := v_ledger.charges is not distinct from v_jobs.charges
    and v_ledger.refunds is not distinct from v_jobs.refunds
    and coalesce(v_jobs.counted, 0) = coalesce(v_counted, 0)
    and v_jobs.overdue = 0
    -- What a refund gave back, compared with what the charge took: lot by lot.
    and not exists (
      select
      from public.quota_log r
      join public.lot_movements m on m.job_id = r.job_id
      where r.reason = 'generation_failed_refund'
      group by m.job_id, m.lot_id
      having sum(m.change) <> 0
    );
  return next;

  select
    coalesce(sum(m.change * (uuid_hash_extended(m.ledger_id, v_seed) & c_mask)), 0) as by_row,
    coalesce(sum(m.change * (uuid_hash_extended(m.lot_id, v_seed) & c_mask)), 0) as by_lot,
    count(*) as rows
  into v_moved
  from public.lot_movements m;
  select
    coalesce(
      sum(c.amount * (uuid_hash_extended(c.ledger_id, v_seed) & c_mask)) filter (where c.ledger_id is not null), 0
    ) as opened,
    coalesce(sum((c.remaining - c.amount) * (uuid_hash_extended(c.id, v_seed) & c_mask)), 0) as moved,
    coalesce(sum(c.remaining * (uuid_hash_extended(c.user_id, v_seed) & c_mask)), 0) as held,
    count(*) filter (where u.id is null) as ownerless,
    count(*) as rows
  into v_lots
  from public.credit_lots c
  left join public.users u on u.id = c.user_id;
  select coalesce(sum(greatest(u.credits_remaining, 0) * (uuid_hash_extended(u.id, v_seed) & c_mask)), 0)
  into v_held
  from public.users u;
  part := 'lots';
  rows := v_moved.rows + v_lots.rows;
  is_proven := v_lots.moved = v_moved.by_lot
    and v_lots.held = v_held
    and v_lots.ownerless = 0
    and coalesce(v_ledger.in_lots, 0) = v_lots.opened + v_moved.by_row - (
      -- The debt that a merge repaid; which lots it took from is no matter of the row.
      select coalesce(sum(m.change * (uuid_hash_extended(m.ledger_id, v_seed) & c_mask)), 0)
      from public.quota_log q
      join public.lot_movements m on m.ledger_id = q.id
      where q.reason = 'account_merge'
    )
    and not exists (
      select from public.purchases p where p.user_id is not null and not exists (select from public.users u where u.id = p.user_id)
    );
  return next;

  select
    sum(
      (p.credits - p.taken_back)::bigint
      * (uuid_hash_extended(p.id, uuid_hash_extended(coalesce(g.survivor_id, p.user_id), v_seed)) & c_mask)
    ) as bought,
    sum(uuid_hash_extended(p.id, hashint4extended(p.credits, v_seed))) filter (where p.credits > 0) as credited,
    count(*) as rows
  into v_bought
  from public.purchases p
  left join public.merged_users g on g.user_id = p.user_id
  where p.user_id is not null;
  part := 'purchases';
  rows := v_bought.rows;
  is_proven := coalesce(v_bought.bought, 0) = coalesce(v_ledger.bought, 0)
    and v_bought.credited is not distinct from v_ledger.credited
    and not exists (
      select from public.quota_log q where q.transaction_id is not null group by q.transaction_id having count(*) > 1
    );
  return next;
end
$$;
