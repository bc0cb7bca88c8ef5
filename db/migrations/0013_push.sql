-- Push notifications: which devices have registered, and what is sent to them.

-- `session_id`: the session that registered it; null for a token of an account without one. `registered_at` has milliseconds, so that
-- a server can name a registration exactly.
create table public.push_tokens (
  id uuid primary key default gen_random_uuid(),
  token text not null unique check (token ~ '^[0-9a-f]{64,200}$'),
  environment text not null check (environment in ('production', 'sandbox')),
  user_id uuid not null,
  session_id uuid,
  registered_at timestamptz(3) not null default clock_timestamp()
);
create index push_tokens_of_user on public.push_tokens (user_id, registered_at desc, id);
create index push_tokens_of_session on public.push_tokens (session_id);

-- One row for each event and token. Its id is the notification's id at Apple, also when it is sent once more. `token_id` stays when the
-- token is gone. `dropped`: not sent, because it must not be any more.
create table public.pushes (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  job_id uuid not null,
  token_id uuid not null,
  kind text not null check (kind in ('video_ready', 'video_failed')),
  state text not null default 'pending' check (state in ('pending', 'sent', 'failed', 'dropped')),
  attempts integer not null default 0 check (attempts >= 0),
  last_error text check (char_length(last_error) <= 200),
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  sent_at timestamptz,
  constraint pushes_once_for_each_token unique (job_id, kind, token_id),
  constraint pushes_sent_at_their_time check ((state = 'sent') = (sent_at is not null))
);
create index pushes_of_user on public.pushes (user_id, created_at desc, id);
create index pushes_by_age on public.pushes (created_at);

alter table public.push_tokens enable row level security;
alter table public.pushes enable row level security;
