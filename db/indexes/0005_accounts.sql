-- The uploads that were written longest ago come first when unused ones are hidden.
create index concurrently if not exists uploads_by_age on public.uploads (updated_at) where stored_at is not null;
