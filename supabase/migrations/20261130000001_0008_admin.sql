-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: migrations/0008_admin.sql

-- source: migrations/0008_admin.sql sha256:ef9d3b41871acb4fc44d32ff94940566643ecb38f980804516fbde975f5a8f46
-- Administrators: who they are, how they sign in, what they have done. No table refers to users by a foreign key: adding one would
-- lock that table, while calls of older servers hold its rows.

-- An administrator's row of users has no device and no Apple user, so no session of a user can be opened for it. Only the owner
-- of the tables writes here, on the command line. `revoked_at`: the rights have ended.
create table public.administrators (
  user_id uuid primary key,
  email text not null unique check (email = lower(email) and char_length(email) between 3 and 320),
  created_at timestamptz not null default clock_timestamp(),
  revoked_at timestamptz
);

-- One-time links, by the hash of their token.
create table public.admin_links (
  token_hash bytea primary key check (octet_length(token_hash) = 32),
  admin_user_id uuid not null references public.administrators (user_id),
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  used_at timestamptz
);
create index admin_links_of_administrator on public.admin_links (admin_user_id);
create index admin_links_by_expiry on public.admin_links (expires_at);

create table public.admin_sessions (
  id uuid primary key,
  admin_user_id uuid not null references public.administrators (user_id),
  opened_by text not null check (opened_by in ('link', 'command_line')),
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  ended_at timestamptz
);
create index admin_sessions_of_administrator on public.admin_sessions (admin_user_id);
create index admin_sessions_by_expiry on public.admin_sessions (expires_at);

-- `session_id`: null for what was done on the command line. `target`: what is no user, model or job, such as a product's id.
alter table public.admin_actions drop constraint admin_actions_action_type_check;
alter table public.admin_actions add constraint admin_actions_action_type_check check (action_type ~ '^[a-z_]{3,50}$');
alter table public.admin_actions add column session_id uuid;
alter table public.admin_actions add column target_job_id uuid;
alter table public.admin_actions add column target text check (char_length(target) between 1 and 200);

alter table public.administrators enable row level security;
alter table public.admin_links enable row level security;
alter table public.admin_sessions enable row level security;

insert into public.schema_history (name, hash) values ('migrations/0008_admin.sql', 'ef9d3b41871acb4fc44d32ff94940566643ecb38f980804516fbde975f5a8f46')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
