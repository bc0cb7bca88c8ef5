-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: migrations/0012_observability.sql

-- source: migrations/0012_observability.sql sha256:0e22a5ba8a378b95f2d3892101c3dd84841d5ee1e7e811a88e770294f39096bf
-- Figures that metrics show of the whole database, and the trace that a generation belongs to.

-- What was counted and is not in the totals yet. Transactions only add rows, so none waits for another; the worker moves them.
create table public.metric_entries (
  id bigint generated always as identity primary key,
  metric text not null check (char_length(metric) between 1 and 50),
  labels jsonb not null default '{}',
  amount integer not null
);
create table public.metric_totals (
  metric text not null check (char_length(metric) between 1 and 50),
  labels jsonb not null default '{}',
  total bigint not null,
  primary key (metric, labels)
);

-- How many accounts the ledger rows up to audit_progress.counted_seq have moved to a balance of at most `up_to` credits that is more
-- than the bound before. Of those with no credits it has only the change: every account begins there, without a row.
create table public.balance_totals (
  up_to integer primary key,
  accounts bigint not null default 0
);
insert into public.balance_totals (up_to)
values (0), (1), (5), (10), (25), (50), (100), (500), (1000), (2147483647);

insert into public.metric_totals (metric, labels, total)
select
  'generations',
  jsonb_build_object('model', model_name, 'provider', provider, 'outcome', status),
  count(*)
from public.video_jobs
where status in ('completed', 'failed')
group by model_name, provider, status;
insert into public.metric_totals (metric, total)
values
  (
    'accounts',
    (select count(*) from public.users where not is_admin) - (select count(*) from public.merged_users)
  ),
  ('paying_accounts', (select count(distinct user_id) from public.purchases where user_id is not null));
with moved as (
  select balance_after, balance_after - change as balance_before, count(*) as moves
  from public.quota_log
  where seq <= (select counted_seq from public.audit_progress)
  group by 1, 2
), bounds as (
  select up_to, coalesce(lag(up_to) over (order by up_to), -2147483648) as above from public.balance_totals
)
update public.balance_totals t
set accounts = (
  select coalesce(sum(
    case when m.balance_after > b.above and m.balance_after <= b.up_to then m.moves else 0 end
    - case when m.balance_before > b.above and m.balance_before <= b.up_to then m.moves else 0 end
  ), 0)
  from moved m
)
from bounds b
where b.up_to = t.up_to;

-- W3C's `traceparent` of the call that began the generation; null: it was not traced.
alter table public.video_jobs add column trace_parent text check (char_length(trace_parent) = 55);

alter table public.metric_entries enable row level security;
alter table public.metric_totals enable row level security;
alter table public.balance_totals enable row level security;

insert into public.schema_history (name, hash) values ('migrations/0012_observability.sql', '0e22a5ba8a378b95f2d3892101c3dd84841d5ee1e7e811a88e770294f39096bf')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
