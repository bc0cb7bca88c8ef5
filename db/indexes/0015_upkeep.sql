-- Upkeep finds the rows whose time has come, the oldest first, without reading those that it is done with.
create index concurrently if not exists refresh_tokens_by_age on public.refresh_tokens (created_at);
create index concurrently if not exists video_jobs_deleted_with_text on public.video_jobs (deleted_at)
where deleted_at is not null and prompt <> '[deleted]';
create index concurrently if not exists video_jobs_with_video on public.video_jobs (completed_at)
where status = 'completed' and deleted_at is null and video_url is not null;
create index concurrently if not exists video_jobs_with_a_cause on public.video_jobs (completed_at)
where completed_at is not null and error_message is not null;
create index concurrently if not exists provider_attempts_with_errors on public.provider_attempts (created_at)
where error is not null or result_error is not null;
create index concurrently if not exists store_notifications_with_payload on public.store_notifications (received_at)
where payload is not null and processed_at is not null;
