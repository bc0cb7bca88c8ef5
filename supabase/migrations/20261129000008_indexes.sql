-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: indexes/0005_accounts.sql, indexes/0006_purchases.sql

-- source: indexes/0005_accounts.sql sha256:b36ef8b75ddbfaff666275250d3f7f9c88b33cdec09740bcbe65356469db3ad3
-- The uploads that were written longest ago come first when unused ones are hidden.
create index if not exists uploads_by_age on public.uploads (updated_at) where stored_at is not null;

-- Whether an upload is still in use.
create index if not exists video_jobs_of_image on public.video_jobs (image_url) where image_url is not null;

insert into public.schema_history (name, hash) values ('indexes/0005_accounts.sql', 'b36ef8b75ddbfaff666275250d3f7f9c88b33cdec09740bcbe65356469db3ad3')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: indexes/0006_purchases.sql sha256:d93dbbd96af9ecd5e7c81901159242bd060b81fae07fec63457ef51374557159
create unique index if not exists quota_log_by_seq on public.quota_log (seq);
create index if not exists quota_log_of_purchase on public.quota_log (purchase_id) where purchase_id is not null;
create index if not exists video_jobs_by_completion on public.video_jobs (completed_at) where completed_at is not null;

insert into public.schema_history (name, hash) values ('indexes/0006_purchases.sql', 'd93dbbd96af9ecd5e7c81901159242bd060b81fae07fec63457ef51374557159')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
