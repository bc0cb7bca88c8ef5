-- People: merging guests, Sign in with Apple, leaving. Each block is one topic. No table refers to users by a foreign key: adding
-- one would lock that table, while calls of older servers hold its rows.

-- Guests that were merged into an Apple account. A guest's row stays, as a deleted one, because its ledger ends there; its id and
-- its tokens address the survivor from then on. `credits_total`: the lifetime credits that went over.
create table public.merged_users (
  user_id uuid primary key,
  survivor_id uuid not null,
  credits_total integer not null default 0 check (credits_total >= 0),
  merged_at timestamptz not null default clock_timestamp(),
  constraint merged_users_go_elsewhere check (user_id <> survivor_id)
);
create index merged_users_of_survivor on public.merged_users (survivor_id);

-- What Apple has said about the person of an account. `email_changed_at` is the time of the event, so that an older one that
-- arrives later changes nothing.
create table public.apple_identities (
  user_id uuid primary key,
  id uuid not null unique default gen_random_uuid(),
  is_email_verified boolean not null default false,
  is_private_email boolean not null default false,
  is_email_enabled boolean not null default true,
  email_changed_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  signed_in_at timestamptz not null default clock_timestamp()
);

-- The identity token with which a guest signed in, as a hash: no other guest may use it.
create table public.used_identity_tokens (
  token_hash bytea primary key check (octet_length(token_hash) = 32),
  user_id uuid not null,
  expires_at timestamptz not null
);
create index used_identity_tokens_by_expiry on public.used_identity_tokens (expires_at);

-- Apple's refresh tokens, encrypted, to be revoked when the account is deleted: one for each app or website (`client_id`).
create table public.apple_tokens (
  user_id uuid not null,
  client_id text not null check (char_length(client_id) between 1 and 255),
  sealed_token bytea not null check (octet_length(sealed_token) between 1 and 8192),
  created_at timestamptz not null default clock_timestamp(),
  primary key (user_id, client_id)
);
-- Tokens of accounts that are gone, until Apple has revoked them. Nothing here names the account.
create table public.apple_revocations (
  id uuid primary key default gen_random_uuid(),
  client_id text not null,
  sealed_token bytea not null,
  created_at timestamptz not null default clock_timestamp()
);

-- Apple's notifications about accounts, each once. Nothing here names the person.
create table public.apple_account_notifications (
  notification_id text primary key check (char_length(notification_id) between 1 and 200),
  type text not null check (char_length(type) between 1 and 50),
  has_effect boolean not null,
  created_at timestamptz not null default clock_timestamp()
);
create index apple_account_notifications_by_age on public.apple_account_notifications (created_at);

-- What an app keeps with the account, by Supabase's auth clients. It is part of every access token, which is a header.
create table public.user_metadata (
  user_id uuid primary key,
  data jsonb not null check (jsonb_typeof(data) = 'object' and octet_length(data::text) <= 4096)
);

alter table public.merged_users enable row level security;
alter table public.apple_identities enable row level security;
alter table public.used_identity_tokens enable row level security;
alter table public.apple_tokens enable row level security;
alter table public.apple_revocations enable row level security;
alter table public.apple_account_notifications enable row level security;
alter table public.user_metadata enable row level security;
