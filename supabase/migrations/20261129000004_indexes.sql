-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: indexes/0004_mend.sql

-- source: indexes/0004_mend.sql sha256:0cb7f7722503007910b77a4cccfe9d0e6f6dda037f209b7655caeafc88f40b78
-- The check of the money goes through the jobs of a range of users, those of deleted jobs too.
create index if not exists video_jobs_deleted_of_user on public.video_jobs (user_id) where deleted_at is not null;

insert into public.schema_history (name, hash) values ('indexes/0004_mend.sql', '0cb7f7722503007910b77a4cccfe9d0e6f6dda037f209b7655caeafc88f40b78')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
