-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: indexes/0005_accounts.sql, indexes/0006_purchases.sql

-- source: indexes/0005_accounts.sql sha256:b36ef8b75ddbfaff666275250d3f7f9c88b33cdec09740bcbe65356469db3ad3
-- The uploads that were written longest ago come first when unused ones are hidden.
create index if not exists uploads_by_age on public.uploads (updated_at) where stored_at is not null;

-- Whether an upload is still in use.
create index if not exists video_jobs_of_image on public.video_jobs (image_url) where image_url is not null;

insert into public.schema_history (name, hash) values ('indexes/0005_accounts.sql', 'b36ef8b75ddbfaff666275250d3f7f9c88b33cdec09740bcbe65356469db3ad3')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: indexes/0006_purchases.sql sha256:2c536ae605eb39492510580551cf4a0a5196d379c93bce6a80489951d72a1fd7
create unique index if not exists quota_log_by_seq on public.quota_log (seq);
create index if not exists quota_log_of_purchase on public.quota_log (purchase_id) where purchase_id is not null;
create index if not exists video_jobs_by_completion on public.video_jobs (completed_at) where completed_at is not null;
-- The check of changes reads of an account only what it has earned and what merges have moved, not its whole history.
create index if not exists quota_log_earned_of_user on public.quota_log (user_id) include (change)
where reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed');
create index if not exists quota_log_merges_of_user on public.quota_log (user_id) include (change) where reason = 'account_merge';
create index if not exists merged_users_by_time on public.merged_users (merged_at);

insert into public.schema_history (name, hash) values ('indexes/0006_purchases.sql', '2c536ae605eb39492510580551cf4a0a5196d379c93bce6a80489951d72a1fd7')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
