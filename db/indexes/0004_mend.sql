-- The check of the money goes through the jobs of a range of users, those of deleted jobs too.
create index concurrently if not exists video_jobs_deleted_of_user on public.video_jobs (user_id) where deleted_at is not null;
