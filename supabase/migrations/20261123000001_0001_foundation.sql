-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.

-- What of db/ is applied, and in which version: a server that starts on this database reads and writes it too.
create table if not exists public.schema_history (
  name text primary key,
  hash text not null,
  applied_at timestamptz not null default now()
);

-- source: migrations/0001_foundation.sql sha256:9e720727d800fd1cbe3bdcdbac8a28ae06e8e6c8caafa2a901bf0e752ac506e7
-- Structure only: tables, constraints, indexes, row-level security. Behaviour is in db/procedures, grants in db/grants.sql.
-- Money is a whole number of credits. Times are timestamptz. Media columns hold storage paths, never URLs.

do $$
declare
  v_role text;
begin
  -- Roles belong to the whole cluster: another database's migration may have made them a moment ago.
  foreach v_role in array array['rendio_server', 'anon', 'authenticated', 'service_role'] loop
    begin
      if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
        execute format('create role %I nologin noinherit', v_role);
      end if;
    exception
      when duplicate_object or unique_violation then null;
    end;
  end loop;
end
$$;

-- Who is asking, when PostgREST or Realtime asks for somebody. Ours, because auth.uid() cannot be created everywhere.
create function public.current_user_id() returns uuid
language sql
stable
set search_path = ''
as $$
  select nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid
$$;

---------------------------------------------------------------------------------------------------------- accounts

create table public.users (
  id uuid primary key default gen_random_uuid(),
  email text check (char_length(email) <= 320),
  device_id text unique check (char_length(device_id) between 8 and 128),
  apple_sub text unique check (char_length(apple_sub) between 1 and 255),
  is_guest boolean not null default true,
  tier text not null default 'free' check (tier in ('free', 'premium')),
  credits_remaining integer not null default 0,
  credits_total integer not null default 0 check (credits_total >= 0),
  initial_grant_claimed boolean not null default false,
  language text not null default 'en' check (language in ('en', 'tr', 'es')),
  theme_preference text not null default 'system' check (theme_preference in ('light', 'dark', 'system')),
  is_admin boolean not null default false,
  began_anonymous boolean not null default false,
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint users_have_an_identity
    check (email is not null or device_id is not null or apple_sub is not null or began_anonymous or deleted_at is not null)
);

-- Apart from users, so that people who may read their own row do not read an operator's words about them.
create table public.user_bans (
  user_id uuid primary key references public.users (id) on delete cascade,
  reason text not null check (char_length(reason) between 1 and 2000),
  created_at timestamptz not null default now()
);

-- One row per account that has set out to take its device's grant; what makes a crash in the middle harmless.
create table public.device_grants (
  user_id uuid primary key references public.users (id) on delete cascade,
  state text not null check (state in ('claiming', 'granted', 'void')),
  -- The second bit that this claim writes at Apple: tells our own update from one made for another account.
  bit1 boolean not null,
  created_at timestamptz not null default now(),
  settled_at timestamptz,
  constraint device_grants_settled_when_final check ((state = 'claiming') = (settled_at is null))
);
create index device_grants_claiming on public.device_grants (created_at) where state = 'claiming';

create table public.sessions (
  id uuid primary key,
  user_id uuid not null references public.users (id) on delete cascade,
  active_generation integer not null default 0 check (active_generation >= 0),
  created_at timestamptz not null default now(),
  refreshed_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index sessions_of_user on public.sessions (user_id);
create index sessions_by_expiry on public.sessions (expires_at);

-- Tokens are kept as hashes. The nonce alone is useless: a token is made from it with the server's secret.
create table public.refresh_tokens (
  token_hash bytea primary key check (octet_length(token_hash) = 32),
  session_id uuid not null references public.sessions (id) on delete cascade,
  generation integer not null check (generation >= 0),
  nonce bytea not null check (octet_length(nonce) between 16 and 64),
  created_at timestamptz not null default now(),
  unique (session_id, generation)
);

--------------------------------------------------------------------------------------------------------- catalogue

create table public.models (
  id uuid primary key default gen_random_uuid(),
  name text not null check (char_length(name) between 1 and 100),
  category text not null check (char_length(category) between 1 and 50),
  description text not null default '' check (char_length(description) <= 2000),
  -- The price of the default settings. For models sold by the second it follows from the two columns below.
  cost_per_generation integer not null default 4 check (cost_per_generation > 0),
  price_credits integer check (price_credits > 0),
  price_per_seconds integer check (price_per_seconds > 0),
  provider text not null check (provider in ('sandbox', 'fal', 'runway', 'pika')),
  provider_model_id text not null check (char_length(provider_model_id) between 1 and 200),
  is_featured boolean not null default false,
  is_available boolean not null default true,
  requires_image boolean not null default false,
  prompt_max integer not null default 2000 check (prompt_max between 3 and 10000),
  -- JSON Schema 2020-12 over `duration` (whole seconds), `resolution`, `aspect_ratio`, `fps`, …
  settings_schema jsonb not null default '{"type": "object", "properties": {}}' check (jsonb_typeof(settings_schema) = 'object'),
  thumbnail_url text check (char_length(thumbnail_url) <= 2000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint models_priced_flat_or_by_seconds check ((price_credits is null) = (price_per_seconds is null)),
  unique (provider, provider_model_id)
);
create index models_available on public.models (is_featured desc, name) where is_available;

------------------------------------------------------------------------------------------------------- generations

create table public.video_jobs (
  job_id uuid primary key default gen_random_uuid(),
  -- Taken while the user's row is locked: the order of a user's jobs, without ties.
  seq bigint not null generated always as identity,
  user_id uuid not null references public.users (id),
  model_id uuid not null references public.models (id),
  model_name text not null,
  provider text not null,
  provider_model_id text not null,
  prompt text not null check (char_length(prompt) between 3 and 10000),
  settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
  image_url text check (char_length(image_url) <= 2000),
  status text not null default 'pending' check (status in ('pending', 'processing', 'completed', 'failed')),
  progress smallint check (progress between 0 and 100),
  queue_position integer check (queue_position > 0),
  video_url text,
  thumbnail_url text,
  video_bytes bigint check (video_bytes > 0),
  video_sha256 text check (video_sha256 ~ '^[0-9a-f]{64}$'),
  video_seconds numeric(10, 3) check (video_seconds > 0),
  credits_used integer not null check (credits_used > 0),
  error_code text check (error_code ~ '^ERR_[0-9]{4}$'),
  error_message text,
  provider_job_id text check (char_length(provider_job_id) between 1 and 500),
  created_at timestamptz not null default now(),
  submitted_at timestamptz,
  deadline_at timestamptz not null,
  completed_at timestamptz,
  deleted_at timestamptz,
  constraint video_jobs_completed_at_set_when_final check ((status in ('completed', 'failed')) = (completed_at is not null)),
  constraint video_jobs_completed_has_a_file check (status <> 'completed' or (video_url is not null and video_sha256 is not null)),
  constraint video_jobs_failed_has_a_code check ((status = 'failed') = (error_code is not null)),
  constraint video_jobs_processing_is_at_the_provider check (status <> 'processing' or provider_job_id is not null),
  constraint video_jobs_deleted_only_when_final check (deleted_at is null or completed_at is not null)
);
create unique index video_jobs_of_user on public.video_jobs (user_id, seq desc) where deleted_at is null;
create unique index video_jobs_of_user_by_status on public.video_jobs (user_id, status, seq desc) where deleted_at is null;
create index video_jobs_of_model on public.video_jobs (model_id);
create index video_jobs_unfinished_by_deadline on public.video_jobs (deadline_at) where status in ('pending', 'processing');
create unique index video_jobs_by_provider_job on public.video_jobs (provider, provider_job_id) where provider_job_id is not null;

-- How many jobs a user has in each state, deleted ones apart: totals are kept, not counted.
create table public.job_counters (
  user_id uuid not null references public.users (id) on delete cascade,
  status text not null check (status in ('pending', 'processing', 'completed', 'failed')),
  jobs integer not null check (jobs >= 0),
  primary key (user_id, status)
);

-- Each time a generation was handed to a provider. Rows are closed once and never overwritten.
create table public.provider_attempts (
  id uuid primary key default gen_random_uuid(),
  job_id uuid not null references public.video_jobs (job_id) on delete cascade,
  attempt integer not null check (attempt > 0),
  provider text not null,
  provider_model_id text not null,
  -- submitting: bytes may have left; accepted: the provider has it; refused: it did not take it, ask again;
  -- rejected: it never will; unknown: nobody can tell, so it is never sent again.
  state text not null default 'submitting' check (state in ('submitting', 'accepted', 'refused', 'rejected', 'unknown')),
  provider_job_id text check (char_length(provider_job_id) between 1 and 500),
  vendor_request_id text check (char_length(vendor_request_id) <= 500),
  vendor_cost_usd numeric(12, 6) check (vendor_cost_usd >= 0),
  error text check (char_length(error) <= 4000),
  created_at timestamptz not null default now(),
  closed_at timestamptz,
  unique (job_id, attempt),
  constraint provider_attempts_closed_when_answered check ((state = 'submitting') = (closed_at is null)),
  constraint provider_attempts_accepted_has_an_id check (state <> 'accepted' or provider_job_id is not null)
);
-- The last guard against paying a provider twice: one attempt at a time may be out there for a job.
create unique index provider_attempts_one_outstanding on public.provider_attempts (job_id)
  where state in ('submitting', 'accepted', 'unknown');
create index provider_attempts_by_provider_job on public.provider_attempts (provider, provider_job_id)
  where provider_job_id is not null;

------------------------------------------------------------------------------------------------------------- ledger

create table public.quota_log (
  id uuid primary key default gen_random_uuid(),
  -- Taken while the user's row is locked, so it orders a user's rows as their balances followed one another.
  seq bigint not null generated always as identity,
  user_id uuid not null references public.users (id),
  -- Deferred, so that a job can be charged before its row is written.
  job_id uuid references public.video_jobs (job_id) deferrable initially deferred,
  change integer not null check (change <> 0),
  reason text not null check (reason in (
    'initial_grant', 'video_generation', 'generation_failed_refund', 'iap_purchase', 'apple_refund',
    'apple_refund_reversed', 'admin_refund', 'admin_adjustment', 'account_merge', 'promo_grant', 'code_redeemed',
    'credits_expired', 'store_refund'
  )),
  transaction_id text unique check (char_length(transaction_id) between 1 and 200),
  balance_after integer not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint quota_log_charges_take_and_grants_give check (
    case
      when reason in ('video_generation', 'apple_refund', 'store_refund', 'credits_expired') then change < 0
      when reason in ('admin_adjustment', 'account_merge') then true
      else change > 0
    end
  ),
  -- Only a store taking back what was already spent may leave a debt.
  constraint quota_log_spending_leaves_no_debt check (
    balance_after >= 0 or change > 0 or reason in ('apple_refund', 'store_refund', 'account_merge')
  )
);
create unique index quota_log_of_user on public.quota_log (user_id, seq desc);
create index quota_log_of_job on public.quota_log (job_id) where job_id is not null;
create unique index quota_log_one_charge_per_job on public.quota_log (job_id) where reason = 'video_generation';
create unique index quota_log_one_refund_per_job on public.quota_log (job_id) where reason = 'generation_failed_refund';
create unique index quota_log_one_initial_grant_per_user on public.quota_log (user_id) where reason = 'initial_grant';

create table public.idempotency_log (
  user_id uuid not null references public.users (id) on delete cascade,
  idempotency_key uuid not null,
  job_id uuid references public.video_jobs (job_id),
  operation_type text not null check (char_length(operation_type) between 1 and 50),
  -- SHA-256 of the canonical JSON of the request's validated fields.
  request_hash text not null check (request_hash ~ '^[0-9a-f]{64}$'),
  response_data jsonb not null,
  status_code integer not null check (status_code between 200 and 599),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '24 hours',
  primary key (user_id, idempotency_key)
);
create index idempotency_log_by_expiry on public.idempotency_log (expires_at);
create index idempotency_log_of_job on public.idempotency_log (job_id) where job_id is not null;

--------------------------------------------------------------------------------------------------------- operations

-- What a user's apps are told, in commit order per user (written under the user's row lock).
create table public.user_events (
  id bigint primary key generated always as identity,
  user_id uuid not null references public.users (id) on delete cascade,
  type text not null check (type in ('queued', 'processing', 'completed', 'failed', 'credits')),
  job_id uuid references public.video_jobs (job_id) on delete cascade deferrable initially deferred,
  data jsonb not null default '{}' check (jsonb_typeof(data) = 'object'),
  created_at timestamptz not null default now()
);
create index user_events_of_user on public.user_events (user_id, id);
create index user_events_of_job on public.user_events (job_id) where job_id is not null;
create index user_events_by_age on public.user_events (created_at);

create table public.rate_limit_log (
  id bigint primary key generated always as identity,
  ip_address inet,
  action text not null check (char_length(action) between 1 and 50),
  user_id uuid references public.users (id) on delete set null,
  created_at timestamptz not null default clock_timestamp()
);
create index rate_limit_log_of_user on public.rate_limit_log (user_id, action, created_at) where user_id is not null;
create index rate_limit_log_of_address on public.rate_limit_log (ip_address, action, created_at) where ip_address is not null;
create index rate_limit_log_by_age on public.rate_limit_log (created_at);

create table public.error_log (
  id bigint primary key generated always as identity,
  user_id uuid references public.users (id) on delete set null,
  error_code text not null check (char_length(error_code) <= 50),
  endpoint text check (char_length(endpoint) <= 200),
  request_data jsonb,
  error_details jsonb,
  created_at timestamptz not null default now()
);
create index error_log_of_user on public.error_log (user_id) where user_id is not null;
create index error_log_by_age on public.error_log (created_at);

create table public.admin_actions (
  id bigint primary key generated always as identity,
  admin_user_id uuid references public.users (id),
  action_type text not null check (action_type in (
    'credit_refund', 'credit_adjustment', 'model_disable', 'model_enable', 'model_update', 'user_ban', 'user_unban'
  )),
  target_user_id uuid references public.users (id),
  target_model_id uuid references public.models (id),
  amount integer,
  reason text not null check (char_length(reason) between 1 and 2000),
  details jsonb not null default '{}',
  created_at timestamptz not null default now()
);
create index admin_actions_of_admin on public.admin_actions (admin_user_id);
create index admin_actions_of_user on public.admin_actions (target_user_id) where target_user_id is not null;
create index admin_actions_of_model on public.admin_actions (target_model_id) where target_model_id is not null;

------------------------------------------------------------------------------------------------- row-level security
-- Enabled on every table. The server's own role reads through a policy (it may not bypass RLS on hosted databases);
-- people read what is theirs; nobody writes through a policy at all.

do $$
declare
  v_table text;
begin
  foreach v_table in array array[
    'users', 'user_bans', 'device_grants', 'sessions', 'refresh_tokens', 'models', 'video_jobs', 'job_counters',
    'provider_attempts', 'quota_log', 'idempotency_log', 'user_events', 'rate_limit_log', 'error_log', 'admin_actions',
    'schema_history'
  ] loop
    execute format('alter table public.%I enable row level security', v_table);
    execute format('create policy server_reads on public.%I for select to rendio_server using (true)', v_table);
  end loop;
end
$$;

create policy people_read_their_profile on public.users
  for select to authenticated using (id = (select public.current_user_id()) and deleted_at is null);
create policy people_read_their_jobs on public.video_jobs
  for select to authenticated using (user_id = (select public.current_user_id()) and deleted_at is null);
create policy people_read_their_transactions on public.quota_log
  for select to authenticated using (user_id = (select public.current_user_id()));
create policy everybody_reads_available_models on public.models
  for select to anon, authenticated using (is_available);

insert into public.schema_history (name, hash) values ('migrations/0001_foundation.sql', '9e720727d800fd1cbe3bdcdbac8a28ae06e8e6c8caafa2a901bf0e752ac506e7')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
