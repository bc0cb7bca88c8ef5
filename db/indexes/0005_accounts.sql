-- The uploads that were written longest ago come first when unused ones are hidden.
create index concurrently if not exists uploads_by_age on public.uploads (updated_at) where stored_at is not null;

-- Whether an upload is still in use.
create index concurrently if not exists video_jobs_of_image on public.video_jobs (image_url) where image_url is not null;
