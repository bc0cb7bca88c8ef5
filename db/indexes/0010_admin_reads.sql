-- Lists for administrators: by time and id, and by each filter that has an index. All columns ascend, so that an index is read backwards,
-- from one row on, by the comparison of all its columns.
create index concurrently if not exists users_newest_first on public.users (created_at, id) where deleted_at is null;
create index concurrently if not exists users_by_email on public.users (lower(email)) where email is not null;
create index concurrently if not exists video_jobs_newest_first on public.video_jobs (created_at, seq);
create index concurrently if not exists video_jobs_of_user_by_time on public.video_jobs (user_id, created_at, seq);
create index concurrently if not exists video_jobs_of_model_by_time on public.video_jobs (model_id, created_at, seq);
create index concurrently if not exists video_jobs_of_provider_by_time on public.video_jobs (provider, created_at, seq);
-- Most jobs are completed, so these are found among all.
create index concurrently if not exists video_jobs_not_completed on public.video_jobs (status, created_at, seq)
where status <> 'completed';
create index concurrently if not exists quota_log_newest_first on public.quota_log (created_at, seq);
create index concurrently if not exists quota_log_of_user_by_time on public.quota_log (user_id, created_at, seq);
-- Most ledger rows are charges, so these are found among all.
create index concurrently if not exists quota_log_not_charges on public.quota_log (reason, created_at, seq)
where reason <> 'video_generation';
create index concurrently if not exists purchases_by_time on public.purchases (created_at, seq);
create index concurrently if not exists purchases_of_user_by_time on public.purchases (user_id, created_at, seq)
where user_id is not null;
create index concurrently if not exists purchases_of_product on public.purchases (product_id, created_at, seq)
where product_id is not null;
create index concurrently if not exists purchases_refunded on public.purchases (is_refunded, created_at, seq) where is_refunded;
create index concurrently if not exists store_notifications_by_time on public.store_notifications (received_at, seq);
create index concurrently if not exists store_notifications_by_type on public.store_notifications (type, received_at, seq);
create index concurrently if not exists store_notifications_of_user on public.store_notifications (user_id, received_at, seq)
where user_id is not null;
create index concurrently if not exists store_notifications_by_id on public.store_notifications (notification_id);
create index concurrently if not exists error_log_newest_first on public.error_log (created_at, id);
create index concurrently if not exists error_log_by_code on public.error_log (error_code, created_at, id);
create index concurrently if not exists error_log_of_user_by_time on public.error_log (user_id, created_at, id)
where user_id is not null;
create index concurrently if not exists error_log_of_request on public.error_log ((error_details ->> 'request_id'), created_at, id)
where error_details ->> 'request_id' is not null;
create index concurrently if not exists admin_actions_newest_first on public.admin_actions (created_at, id);
create index concurrently if not exists admin_actions_of_user_by_time on public.admin_actions (target_user_id, created_at, id)
where target_user_id is not null;
create index concurrently if not exists codes_by_time on public.codes (created_at, seq);
create index concurrently if not exists provider_attempts_of_user on public.provider_attempts (user_id, created_at, id);
create index concurrently if not exists provider_events_of_user on public.provider_events (user_id, created_at, id)
where user_id is not null;
create index concurrently if not exists sessions_of_user_by_time on public.sessions (user_id, created_at, id);
-- The count of the days goes through attempts as they end.
create index concurrently if not exists provider_attempts_by_end on public.provider_attempts (ended_at) where ended_at is not null;
