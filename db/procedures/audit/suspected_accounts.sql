-- Accounts in which a part of the money that compare_sums has not proven may be broken: where the figures of a job, of a ledger row or of
-- a lot differ. Found by one pass over each table; what exactly is wrong there, broken_generations and broken_lots say.
create or replace function public.suspected_accounts(p_part text) returns table (user_id uuid)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if p_part = 'generations' then
    return query
    with jobs as (
      select x.job_id
      from (
        select j.job_id, uuid_hash_extended(j.user_id, j.credits_used) as charge,
          case when j.status = 'failed' then uuid_hash_extended(j.user_id, j.credits_used) else 0 end as refund
        from public.video_jobs j
        union all
        select q.job_id,
          case when q.reason = 'video_generation' then -uuid_hash_extended(coalesce(g.survivor_id, q.user_id), -q.change) else 0 end,
          case
            when q.reason = 'generation_failed_refund' then -uuid_hash_extended(coalesce(g.survivor_id, q.user_id), q.change)
            else 0
          end
        from public.quota_log q
        left join public.merged_users g on g.user_id = q.user_id
        where q.job_id is not null and q.reason in ('video_generation', 'generation_failed_refund')
      ) x
      group by x.job_id
      having sum(x.charge) <> 0 or sum(x.refund) <> 0
      union
      select m.job_id
      from public.quota_log r
      join public.lot_movements m on m.job_id = r.job_id
      where r.reason = 'generation_failed_refund'
      group by m.job_id, m.lot_id
      having sum(m.change) <> 0
    )
    select j.user_id
    from jobs x
    join public.video_jobs j on j.job_id = x.job_id
    union
    select j.user_id
    from public.video_jobs j
    where j.status in ('pending', 'processing') and j.deadline_at < now() - interval '1 day'
    union
    select x.user_id
    from (
      select c.user_id, c.status, c.jobs from public.job_counters c
      union all
      select j.user_id, j.status, -1 from public.video_jobs j where j.deleted_at is null
    ) x
    group by x.user_id, x.status
    having sum(x.jobs) <> 0;
  elsif p_part = 'lots' then
    return query
    with merged as (
      select q.id from public.quota_log q where q.reason = 'account_merge'
    ), rows as (
      select x.id
      from (
        select q.id, greatest(q.balance_after, 0)::bigint - greatest(q.balance_after - q.change, 0) as change
        from public.quota_log q
        where q.reason <> 'account_merge' and q.seq > (select last_seq_without_lots from public.audit_progress)
        union all
        select c.ledger_id, -c.amount from public.credit_lots c where c.ledger_id is not null
        union all
        select m.ledger_id, -m.change from public.lot_movements m where not exists (select from merged d where d.id = m.ledger_id)
      ) x
      group by x.id
      having sum(x.change) <> 0
    )
    select q.user_id from rows r join public.quota_log q on q.id = r.id
    union
    select c.user_id from rows r join public.credit_lots c on c.ledger_id = r.id
    union
    select c.user_id
    from rows r
    join public.lot_movements m on m.ledger_id = r.id
    join public.credit_lots c on c.id = m.lot_id
    union
    select c.user_id
    from public.credit_lots c
    left join (select m.lot_id, sum(m.change) as moved from public.lot_movements m group by m.lot_id) m on m.lot_id = c.id
    where c.amount + coalesce(m.moved, 0) <> c.remaining
    union
    select x.id
    from (
      select u.id, greatest(u.credits_remaining, 0) as held from public.users u
      union all
      select c.user_id, -c.remaining from public.credit_lots c
    ) x
    group by x.id
    having sum(x.held) <> 0
    union
    select x.user_id
    from (select c.user_id from public.credit_lots c union select p.user_id from public.purchases p where p.user_id is not null) x
    where not exists (select from public.users u where u.id = x.user_id);
  end if;
end
$$;
