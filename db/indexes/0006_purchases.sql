create unique index concurrently if not exists quota_log_by_seq on public.quota_log (seq);
create index concurrently if not exists quota_log_of_purchase on public.quota_log (purchase_id) where purchase_id is not null;
create index concurrently if not exists video_jobs_by_completion on public.video_jobs (completed_at) where completed_at is not null;
-- The check of changes reads of an account only what it has earned and what merges have moved, not its whole history.
create index concurrently if not exists quota_log_earned_of_user on public.quota_log (user_id) include (change)
where reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed');
create index concurrently if not exists quota_log_merges_of_user on public.quota_log (user_id) include (change) where reason = 'account_merge';
create index concurrently if not exists merged_users_by_time on public.merged_users (merged_at);
