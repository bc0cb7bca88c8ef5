-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: migrations/0003_house.sql

-- source: migrations/0003_house.sql sha256:69cdc5cedab3f71bac85c819f67007c691efd6d33ddabfa884339e0f02dcb26a
-- Settings of the operator, files by the path that their row stores, and providers that are not listed in the database.

-- One row. The owner writes it from the environment at every start, and procedures read their amounts here.
create table public.settings (
  is_only_row boolean primary key default true check (is_only_row),
  initial_grant_credits integer not null default 10 check (initial_grant_credits between 0 and 1000000),
  updated_at timestamptz not null default now()
);
insert into public.settings default values;
alter table public.settings enable row level security;
create policy server_reads on public.settings for select to rendio_server using (true);

-- The key of a file is decided once and stored. When accounts are merged, the owner changes and the key does not.
alter table public.uploads add column file text check (char_length(file) between 38 and 1000);
update public.uploads
set file = 'user_uploads/' || user_id || '/' || id || '.' || case content_type
  when 'image/jpeg' then 'jpg'
  when 'image/png' then 'png'
  else 'webp'
end;
alter table public.uploads
  alter column file set not null,
  drop constraint uploads_lie_in_their_owners_folder,
  add constraint uploads_lie_in_a_users_folder check (path ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.');
create unique index uploads_by_file on public.uploads (file);

-- The path of the video and its thumbnail, without bucket and extension: `<user_id>/<yyyy-mm>/<job_id>`. Null in jobs that had
-- ended before this column was added; if those have files, video_url and thumbnail_url name them.
alter table public.video_jobs add column media_path text check (char_length(media_path) between 38 and 1000);
update public.video_jobs
set media_path = user_id || '/' || to_char(created_at at time zone 'utc', 'YYYY-MM') || '/' || job_id
where completed_at is null or completed_at > now() - interval '1 day';
alter table public.video_jobs
  add constraint video_jobs_unfinished_has_a_media_path check (completed_at is not null or media_path is not null);

-- `retryable`: the provider did not accept the attempt but may accept another one. `declined`: it will not accept any.
alter table public.provider_attempts drop constraint provider_attempts_state_check;
update public.provider_attempts
set state = case state when 'refused' then 'retryable' else 'declined' end
where state in ('refused', 'rejected');
alter table public.provider_attempts add constraint provider_attempts_state_check
  check (state in ('submitting', 'accepted', 'retryable', 'declined', 'unknown'));

-- Providers are added and removed in the code. A model whose provider a server does not have is not offered there.
alter table public.models
  drop constraint models_provider_check,
  add constraint models_provider_check check (provider ~ '^[a-z][a-z0-9_-]{0,49}$');
alter table public.provider_circuits
  drop constraint provider_circuits_provider_check,
  add constraint provider_circuits_provider_check check (provider ~ '^[a-z][a-z0-9_-]{0,49}$');

-- Rename the queue's tasks and their keys.
do $$
begin
  if to_regclass('graphile_worker._private_tasks') is null then
    return;
  end if;
  update graphile_worker._private_tasks set identifier = 'poll_generation' where identifier = 'settle_generation';
  update graphile_worker._private_tasks set identifier = 'clean_up_generation' where identifier = 'stop_generation';
  update graphile_worker._private_jobs set key = 'poll:' || substr(key, length('settle:') + 1) where key like 'settle:%';
  update graphile_worker._private_jobs set key = 'clean_up:' || substr(key, length('stop:') + 1) where key like 'stop:%';
end
$$;

insert into public.schema_history (name, hash) values ('migrations/0003_house.sql', '69cdc5cedab3f71bac85c819f67007c691efd6d33ddabfa884339e0f02dcb26a')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
