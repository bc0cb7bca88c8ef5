-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.

-- source: migrations/0002_providers.sql sha256:2d36190e88e43721a4d9c36ba0937d23717335fb5073f5cffdfdb71f4eef99da
-- What providers tell us, how well they are, what an attempt came to, and the pictures that people upload.

-- Events of providers, each recorded once. A row is a hint that was verified, never the truth about a job.
create table public.provider_events (
  id bigint generated always as identity primary key,
  -- Who sent it: `fal`, or `signed` for the generic form.
  sender text not null check (char_length(sender) between 1 and 50),
  -- The event's own id, or the SHA-256 of its body.
  event_key text not null check (char_length(event_key) between 1 and 200),
  -- What it names; neither need be ours.
  job_id uuid,
  provider_job_id text check (char_length(provider_job_id) between 1 and 500),
  -- woke: the job was looked at at once; unconfirmed: it may end an attempt whose outcome is unknown, so the provider is
  -- asked; ignored: no job of ours, or one that has ended.
  effect text not null check (effect in ('woke', 'unconfirmed', 'ignored')),
  created_at timestamptz not null default clock_timestamp(),
  unique (sender, event_key)
);
create index provider_events_by_age on public.provider_events (created_at);
create index provider_events_of_job on public.provider_events (job_id) where job_id is not null;

-- A provider that fails job after job is not sold for a while: a circuit breaker for each, shared by all servers.
create table public.provider_circuits (
  provider text primary key check (provider in ('sandbox', 'fal', 'runway', 'pika')),
  state text not null default 'closed' check (state in ('closed', 'open')),
  -- The distinct jobs that failed since the last one that went well.
  failed_jobs uuid[] not null default '{}',
  -- Those whose submit had no answer since the last one that had: each of them may have been taken.
  unanswered_jobs uuid[] not null default '{}',
  -- Whether the last failure was at the door or later: `submit` is disproved by a job that is taken, `job` by a video.
  failing_at text check (failing_at in ('submit', 'job')),
  opened_at timestamptz,
  -- When the next job may be tried on it.
  probe_at timestamptz,
  constraint provider_circuits_open_knows_when check ((state = 'open') = (opened_at is not null and probe_at is not null))
);

-- What came of an attempt that the provider had accepted. Written once.
alter table public.provider_attempts
  add column result text check (result in ('completed', 'failed', 'stopped')),
  add column result_error text check (char_length(result_error) <= 4000),
  add column ended_at timestamptz,
  add constraint provider_attempts_ended_with_a_result check ((result is null) = (ended_at is null)),
  add constraint provider_attempts_only_accepted_ones_end check (result is null or state = 'accepted');

-- Pictures for image-to-video. A row is there before its file, so that no file is ever left without one.
create table public.uploads (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references public.users (id),
  -- Inside the bucket: `<user_id>/…`.
  path text not null unique check (char_length(path) between 38 and 1000),
  content_type text not null check (content_type in ('image/jpeg', 'image/png', 'image/webp')),
  bytes integer not null check (bytes between 1 and 10485760),
  width integer not null check (width > 0),
  height integer not null check (height > 0),
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  -- Set once the file is in the store; a row without it is one that a crash left behind.
  stored_at timestamptz,
  constraint uploads_lie_in_their_owners_folder check (starts_with(path, user_id::text || '/'))
);
create index uploads_of_user on public.uploads (user_id, path);
create index uploads_left_behind on public.uploads (updated_at) where stored_at is null;

do $$
declare
  v_table text;
begin
  foreach v_table in array array['provider_events', 'provider_circuits', 'uploads'] loop
    execute format('alter table public.%I enable row level security', v_table);
    execute format('create policy server_reads on public.%I for select to rendio_server using (true)', v_table);
  end loop;
end
$$;

-- Which of a code's sentences the owner is told: `moderated` tells the provider's content rules from its other refusals.
alter table public.video_jobs
  add column error_reason text check (error_reason in ('moderated')),
  add constraint video_jobs_reason_only_with_a_code check (error_reason is null or error_code is not null);
-- Its successor takes one argument more.
drop function if exists public.fail_generation(uuid, text, text);

insert into public.schema_history (name, hash) values ('migrations/0002_providers.sql', '2d36190e88e43721a4d9c36ba0937d23717335fb5073f5cffdfdb71f4eef99da')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
