-- Shared videos, reports about videos, and what upkeep has to remember.

-- One link for each shared video, at most. No owner: the job says whose video it is, also after a merge.
create table public.shares (
  job_id uuid primary key,
  token text not null unique check (token ~ '^[A-Za-z0-9_-]{22}$'),
  with_prompt boolean not null default false,
  created_at timestamptz not null default clock_timestamp()
);

-- What people have reported to the operator. `user_id`: whose video it is; `source`: how the reporter knows the video. A
-- report about a video is made once by an account.
create table public.reports (
  id uuid primary key default gen_random_uuid(),
  seq bigint not null generated always as identity,
  job_id uuid not null,
  user_id uuid not null,
  reporter_user_id uuid not null,
  source text not null check (source in ('owner', 'share')),
  reason text not null check (char_length(reason) between 3 and 500),
  created_at timestamptz not null default clock_timestamp(),
  handled_at timestamptz,
  constraint reports_once_by_an_account unique (job_id, reporter_user_id)
);
create unique index reports_newest_first on public.reports (seq desc);
create index reports_open_newest_first on public.reports (seq desc) where handled_at is null;
create index reports_handled_newest_first on public.reports (seq desc) where handled_at is not null;
create index reports_of_job on public.reports (job_id, seq desc);
create index reports_of_user on public.reports (user_id, seq desc);
create index reports_of_reporter on public.reports (reporter_user_id, seq desc);

-- How far the search for files without a row has come in each bucket. Null: its next run begins at the start.
create table public.file_sweeps (
  bucket text primary key check (char_length(bucket) between 1 and 100),
  after_key text check (char_length(after_key) <= 1000),
  finished_at timestamptz
);

-- Set when the files of a completed job were removed because of their age; video_url and thumbnail_url are null from then on.
alter table public.video_jobs add column video_removed_at timestamptz;
alter table public.video_jobs drop constraint video_jobs_completed_has_a_file;
alter table public.video_jobs add constraint video_jobs_completed_has_a_file check (
  status <> 'completed' or (video_sha256 is not null and (video_url is not null or video_removed_at is not null))
) not valid;

alter table public.shares enable row level security;
alter table public.reports enable row level security;
alter table public.file_sweeps enable row level security;
