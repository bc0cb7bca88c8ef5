-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: migrations/0007_operations.sql

-- source: migrations/0007_operations.sql sha256:fe28c8196f6700162e54b95de7ff7d1b3a6cb9bc453b6741a270e59a732d44be
-- What operators are told: alerts, and the figures of the money for metrics.

-- One row for each cause and hour. `subject`: which store, for example; `details`: what the message is made of; `sent_to`: the
-- receivers that have it.
create table public.alerts (
  id uuid primary key default gen_random_uuid(),
  kind text not null check (char_length(kind) between 1 and 50),
  subject text not null default '' check (char_length(subject) <= 100),
  hour timestamptz not null,
  details jsonb not null default '{}',
  sent_to text[] not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  constraint alerts_once_an_hour unique (kind, subject, hour)
);
create index alerts_by_age on public.alerts (created_at);

-- Null: no alert has told of it yet.
alter table public.money_violations add column alerted_at timestamptz;

-- The credits that all ledger rows up to audit_progress.counted_seq have moved, by reason, without their sign.
create table public.credit_totals (
  reason text primary key check (char_length(reason) between 1 and 50),
  credits bigint not null check (credits >= 0)
);
-- `credits_outstanding`: what accounts have after these rows; debts count as nothing.
alter table public.audit_progress add column counted_seq bigint not null default 0;
alter table public.audit_progress add column credits_outstanding bigint not null default 0;

insert into public.credit_totals (reason, credits)
select q.reason, sum(abs(q.change::bigint))
from public.quota_log q
where q.seq <= (select checked_seq from public.audit_progress)
group by q.reason;
update public.audit_progress p
set counted_seq = p.checked_seq,
    credits_outstanding = (
      select coalesce(sum(greatest(q.balance_after, 0)::bigint - greatest(q.balance_after::bigint - q.change, 0)), 0)
      from public.quota_log q
      where q.seq <= p.checked_seq
    );

alter table public.alerts enable row level security;
alter table public.credit_totals enable row level security;

insert into public.schema_history (name, hash) values ('migrations/0007_operations.sql', 'fe28c8196f6700162e54b95de7ff7d1b3a6cb9bc453b6741a270e59a732d44be')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
