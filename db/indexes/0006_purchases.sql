create unique index concurrently if not exists quota_log_by_seq on public.quota_log (seq);
create index concurrently if not exists quota_log_of_purchase on public.quota_log (purchase_id) where purchase_id is not null;
create index concurrently if not exists video_jobs_by_completion on public.video_jobs (completed_at) where completed_at is not null;
