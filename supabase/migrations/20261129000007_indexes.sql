-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: indexes/0005_accounts.sql

-- source: indexes/0005_accounts.sql sha256:b36ef8b75ddbfaff666275250d3f7f9c88b33cdec09740bcbe65356469db3ad3
-- The uploads that were written longest ago come first when unused ones are hidden.
create index if not exists uploads_by_age on public.uploads (updated_at) where stored_at is not null;

-- Whether an upload is still in use.
create index if not exists video_jobs_of_image on public.video_jobs (image_url) where image_url is not null;

insert into public.schema_history (name, hash) values ('indexes/0005_accounts.sql', 'b36ef8b75ddbfaff666275250d3f7f9c88b33cdec09740bcbe65356469db3ad3')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
