-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: migrations/0010_admin_reads.sql

-- source: migrations/0010_admin_reads.sql sha256:a7bf31da8e99c5249f9d853f0919c5595fe147baa50c000b106d117e7c4108aa
-- What administrators read: whose row something is, and the figures of each day.

-- The account that an attempt or an event was for, or whose purchase a notification names, when the row was written. It stays with a
-- merged guest's id, as the ledger does.
alter table public.provider_attempts add column user_id uuid;
alter table public.provider_events add column user_id uuid;
alter table public.store_notifications add column user_id uuid;
update public.provider_attempts a set user_id = j.user_id from public.video_jobs j where j.job_id = a.job_id;
update public.provider_events e set user_id = j.user_id from public.video_jobs j where j.job_id = e.job_id;
update public.store_notifications n
set user_id = p.user_id
from public.purchases p
where p.store = n.store and p.transaction_id = n.transaction_id and p.user_id is not null;

-- The figures of a day, in UTC: {figure: {subject: amount}}. credits_in and credits_out by reason; errors by code; revenue and sold
-- (credits) by currency; a model's id with completed, failed, credits and provider_cost; duration (jobs) by tenths of a second, until
-- the day has ended; seconds by p50 and p95 after that.
create table public.day_figures (
  day date primary key,
  figures jsonb not null check (jsonb_typeof(figures) = 'object')
);

-- Up to where rows are in day_figures, each once, and how far the next count may go: to what was noted, once every transaction that
-- was running then has ended.
create table public.day_progress (
  is_only_row boolean primary key default true check (is_only_row),
  ledger_seq bigint not null default 0,
  error_id bigint not null default 0,
  jobs_at timestamptz not null default 'epoch',
  attempts_at timestamptz not null default 'epoch',
  noted_ledger_seq bigint not null default 0,
  noted_error_id bigint not null default 0,
  noted_at timestamptz not null default 'epoch',
  noted_xid xid8 not null default '0'
);
insert into public.day_progress default values;

alter table public.day_figures enable row level security;
alter table public.day_progress enable row level security;

insert into public.schema_history (name, hash) values ('migrations/0010_admin_reads.sql', 'a7bf31da8e99c5249f9d853f0919c5595fe147baa50c000b106d117e7c4108aa')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
