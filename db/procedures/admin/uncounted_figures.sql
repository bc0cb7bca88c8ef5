-- The figures, as in day_figures, of the rows behind what is counted, up to these bounds. A ledger row counts on the day it was
-- written, a job on the day it ended, and what a vendor says it cost on the day the vendor ended it. Revenue is what purchases that
-- cost money brought, less refunds: a refund takes the share of the price that it takes of the credits. `offset 0` has the other table
-- looked up row by row: the planner takes a few rows for thousands, and would read it whole.
create or replace function public.uncounted_figures(
  p_ledger_seq bigint,
  p_error_id bigint,
  p_jobs_at timestamptz,
  p_attempts_at timestamptz
) returns table (day date, figure text, subject text, amount numeric)
language plpgsql
rows 200
stable
security definer
set search_path = ''
-- Compiling the statement would take longer than running it.
set jit = off
as $$
#variable_conflict use_column
begin
  return query
  with progress as (
    select * from public.day_progress
  ), ledger as materialized (
    select
      (q.created_at at time zone 'utc')::date as day, q.reason, q.change, upper(p.currency) as currency,
      p.price_milliunits / 1000.0 * q.change / p.credits as revenue
    from public.quota_log q
    left join lateral (
      select *
      from public.purchases
      where id = q.purchase_id and credits > 0 and price_milliunits > 0 and environment in ('Production', 'live')
      offset 0
    ) p on true
    where q.seq > (select ledger_seq from progress) and q.seq <= p_ledger_seq
  ), jobs as materialized (
    select
      (j.completed_at at time zone 'utc')::date as day, j.status, j.model_id::text as model_id, j.credits_used,
      round(extract(epoch from j.completed_at - j.created_at) * 10)::integer::text as tenths
    from public.video_jobs j
    where j.completed_at > (select jobs_at from progress) and j.completed_at <= p_jobs_at
  )
  select l.day, case when l.change > 0 then 'credits_in' else 'credits_out' end, l.reason, sum(abs(l.change::bigint))
  from ledger l
  group by 1, 2, 3
  union all
  select l.day, f.figure, l.currency, sum(f.amount)
  from ledger l
  cross join lateral (values ('revenue', round(l.revenue, 6)), ('sold', l.change::numeric)) f (figure, amount)
  where l.currency is not null
  group by 1, 2, 3
  union all
  select j.day, j.model_id, j.status, count(*)
  from jobs j
  group by 1, 2, 3
  union all
  select j.day, j.model_id, 'credits', sum(j.credits_used::bigint)
  from jobs j
  where j.status = 'completed'
  group by 1, 2
  union all
  select j.day, 'duration', j.tenths, count(*)
  from jobs j
  where j.status = 'completed'
  group by 1, 3
  union all
  select (a.ended_at at time zone 'utc')::date, j.model_id::text, 'provider_cost', sum(a.vendor_cost_usd)
  from public.provider_attempts a
  cross join lateral (select model_id from public.video_jobs where job_id = a.job_id offset 0) j
  where a.ended_at > (select attempts_at from progress) and a.ended_at <= p_attempts_at and a.vendor_cost_usd is not null
  group by 1, 2
  union all
  select (e.created_at at time zone 'utc')::date, 'errors', e.error_code, count(*)
  from public.error_log e
  where e.id > (select error_id from progress) and e.id <= p_error_id
  group by 1, 3;
end
$$;
