-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: migrations/0011_limits.sql

-- source: migrations/0011_limits.sql sha256:2bb11d9a0d88f510cfb45c012c542aed50a282c0ca5cd847b51625ee5fd0060c
-- What operators limit, and what they read about errors.

-- Set by administrators: generations are not sold meanwhile.
alter table public.settings add column is_paused boolean not null default false;

-- The id of the request that paid for the generation, for its row in error_log. Not validated: that would read the whole table, of
-- which no row has one yet.
alter table public.video_jobs add column request_id text;
alter table public.video_jobs add constraint video_jobs_request_id_check
  check (char_length(request_id) between 1 and 128) not valid;

-- Made by the server that writes the row, so that a repeated write adds nothing.
alter table public.error_log add column entry_id uuid;

insert into public.schema_history (name, hash) values ('migrations/0011_limits.sql', '2bb11d9a0d88f510cfb45c012c542aed50a282c0ca5cd847b51625ee5fd0060c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
