-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: indexes/0010_admin_reads.sql, indexes/0011_limits.sql, indexes/0015_upkeep.sql

-- source: indexes/0010_admin_reads.sql sha256:afb2a47dcf2edb45c711dffcfff7712ce27d8c0ff66cb2ed9515862b9807acec
-- Lists for administrators: by time and id, and by each filter that has an index. All columns ascend, so that an index is read backwards,
-- from one row on, by the comparison of all its columns.
create index if not exists users_newest_first on public.users (created_at, id) where deleted_at is null;
create index if not exists users_by_email on public.users (lower(email)) where email is not null;
create index if not exists video_jobs_newest_first on public.video_jobs (created_at, seq);
create index if not exists video_jobs_of_user_by_time on public.video_jobs (user_id, created_at, seq);
create index if not exists video_jobs_of_model_by_time on public.video_jobs (model_id, created_at, seq);
create index if not exists video_jobs_of_provider_by_time on public.video_jobs (provider, created_at, seq);
-- Most jobs are completed, so these are found among all.
create index if not exists video_jobs_not_completed on public.video_jobs (status, created_at, seq)
where status <> 'completed';
create index if not exists quota_log_newest_first on public.quota_log (created_at, seq);
create index if not exists quota_log_of_user_by_time on public.quota_log (user_id, created_at, seq);
-- Most ledger rows are charges, so these are found among all.
create index if not exists quota_log_not_charges on public.quota_log (reason, created_at, seq)
where reason <> 'video_generation';
create index if not exists purchases_by_time on public.purchases (created_at, seq);
create index if not exists purchases_of_user_by_time on public.purchases (user_id, created_at, seq)
where user_id is not null;
create index if not exists purchases_of_product on public.purchases (product_id, created_at, seq)
where product_id is not null;
create index if not exists purchases_refunded on public.purchases (is_refunded, created_at, seq) where is_refunded;
create index if not exists store_notifications_by_time on public.store_notifications (received_at, seq);
create index if not exists store_notifications_by_type on public.store_notifications (type, received_at, seq);
create index if not exists store_notifications_of_user on public.store_notifications (user_id, received_at, seq)
where user_id is not null;
create index if not exists store_notifications_by_id on public.store_notifications (notification_id);
create index if not exists error_log_newest_first on public.error_log (created_at, id);
create index if not exists error_log_by_code on public.error_log (error_code, created_at, id);
create index if not exists error_log_of_user_by_time on public.error_log (user_id, created_at, id)
where user_id is not null;
create index if not exists error_log_of_request on public.error_log ((error_details ->> 'request_id'), created_at, id)
where error_details ->> 'request_id' is not null;
create index if not exists admin_actions_newest_first on public.admin_actions (created_at, id);
create index if not exists admin_actions_of_user_by_time on public.admin_actions (target_user_id, created_at, id)
where target_user_id is not null;
create index if not exists codes_by_time on public.codes (created_at, seq);
create index if not exists provider_attempts_of_user on public.provider_attempts (user_id, created_at, id);
create index if not exists provider_events_of_user on public.provider_events (user_id, created_at, id)
where user_id is not null;
create index if not exists sessions_of_user_by_time on public.sessions (user_id, created_at, id);
-- The count of the days goes through attempts as they end.
create index if not exists provider_attempts_by_end on public.provider_attempts (ended_at) where ended_at is not null;

insert into public.schema_history (name, hash) values ('indexes/0010_admin_reads.sql', 'afb2a47dcf2edb45c711dffcfff7712ce27d8c0ff66cb2ed9515862b9807acec')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: indexes/0011_limits.sql sha256:f417ab206f900281eb2eb7070471c22238c6ff8956d205bcce16cbaeedc2d9e3
create unique index if not exists error_log_once on public.error_log (entry_id) where entry_id is not null;

insert into public.schema_history (name, hash) values ('indexes/0011_limits.sql', 'f417ab206f900281eb2eb7070471c22238c6ff8956d205bcce16cbaeedc2d9e3')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: indexes/0015_upkeep.sql sha256:a21b000ce7ac9dd063fc74beb3591f22326be27806987c131d57fb5c604ab092
-- Upkeep finds the rows whose time has come, the oldest first, without reading those that it is done with.
create index if not exists refresh_tokens_by_age on public.refresh_tokens (created_at);
create index if not exists video_jobs_deleted_with_text on public.video_jobs (deleted_at)
where deleted_at is not null and prompt <> '[deleted]';
create index if not exists video_jobs_with_video on public.video_jobs (completed_at)
where status = 'completed' and deleted_at is null and video_url is not null;
create index if not exists video_jobs_with_a_cause on public.video_jobs (completed_at)
where completed_at is not null and error_message is not null;
create index if not exists provider_attempts_with_errors on public.provider_attempts (created_at)
where error is not null or result_error is not null;
create index if not exists store_notifications_with_payload on public.store_notifications (received_at)
where payload is not null and processed_at is not null;

insert into public.schema_history (name, hash) values ('indexes/0015_upkeep.sql', 'a21b000ce7ac9dd063fc74beb3591f22326be27806987c131d57fb5c604ab092')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
