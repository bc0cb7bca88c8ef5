-- The check of the money, as it goes: what it has found, and how far it has come.

-- Violations that are open, each once. The check of changes adds to them; the check of everything also removes those that hold again.
create table public.money_violations (
  invariant text not null check (char_length(invariant) between 1 and 200),
  subject uuid not null,
  details jsonb not null default '{}',
  found_at timestamptz not null default clock_timestamp(),
  last_found_at timestamptz not null default clock_timestamp(),
  primary key (invariant, subject)
);
alter table public.money_violations enable row level security;

-- What the check of changes has noted and not checked yet: transactions that were running then may still add rows before it.
-- `noted_xid`: once every transaction up to it has ended, all rows up to `noted_seq` and `noted_at` can be seen.
alter table public.audit_progress
  add column noted_seq bigint not null default 0,
  add column noted_xid xid8 not null default '0',
  add column noted_at timestamptz not null default clock_timestamp();
