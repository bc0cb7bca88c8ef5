-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: procedures/accounts/current_user_id.sql, procedures/accounts/delete_account.sql, procedures/accounts/erase_account.sql, procedures/accounts/link_apple_identity.sql, procedures/accounts/lock_account.sql, procedures/accounts/merge_guest.sql, procedures/admin/add_figures.sql, procedures/admin/admin_adjust_credits.sql, procedures/admin/admin_ban_user.sql, procedures/admin/admin_cancel_job.sql, procedures/admin/admin_create_code.sql, procedures/admin/admin_pause.sql, procedures/admin/admin_refund_credits.sql, procedures/admin/admin_replay_delivery.sql, procedures/admin/admin_toggle_model.sql, procedures/admin/admin_unban_user.sql, procedures/admin/admin_update_model.sql, procedures/admin/admin_update_product.sql, procedures/admin/administrator_state.sql, procedures/admin/answer_admin_action.sql, procedures/admin/begin_admin_action.sql, procedures/admin/changed_values.sql, procedures/admin/count_days.sql, procedures/admin/create_admin_link.sql, procedures/admin/create_administrator.sql, procedures/admin/day_bounds.sql, procedures/admin/end_admin_session.sql, procedures/admin/finish_admin_action.sql, procedures/admin/iso_time.sql, procedures/admin/model_of_admin.sql, procedures/admin/open_admin_session.sql, procedures/admin/open_admin_session_by_email.sql, procedures/admin/owner_replays_notification.sql, procedures/admin/product_of_admin.sql, procedures/admin/record_owner_action.sql, procedures/admin/revoke_administrator.sql, procedures/admin/seconds_of.sql, procedures/admin/uncounted_figures.sql, procedures/alerts/raise_alert.sql, procedures/audit/count_credits.sql, procedures/credits/apply_credits.sql, procedures/generations/begin_attempt.sql, procedures/generations/begin_generation.sql, procedures/generations/delete_generation.sql, procedures/generations/fail_generation.sql, procedures/generations/finish_generation.sql, procedures/generations/record_provider_event.sql, procedures/generations/record_provider_outcome.sql, procedures/generations/spending_state.sql, procedures/limits/cleanup_rate_limit_logs.sql, procedures/maintenance/empty_deleted_jobs.sql, procedures/maintenance/log_errors.sql, procedures/maintenance/prune_rows.sql, procedures/maintenance/retention_kinds.sql, procedures/maintenance/retentions.sql, procedures/metrics/count_account.sql, procedures/metrics/count_generation.sql, procedures/metrics/count_paying_accounts.sql, procedures/metrics/total_metrics.sql, procedures/moderation/admin_handle_report.sql, procedures/moderation/find_share.sql, procedures/moderation/report_video.sql, procedures/moderation/share_video.sql, procedures/moderation/unshare_video.sql, procedures/notifications/finish_push.sql, procedures/notifications/forget_push_token.sql, procedures/notifications/forget_tokens_of_session.sql, procedures/notifications/move_push_tokens.sql, procedures/notifications/register_push_token.sql, procedures/notifications/replay_push.sql, procedures/notifications/schedule_push.sql, procedures/notifications/schedule_pushes.sql, procedures/notifications/trim_push_tokens.sql, procedures/previous_version.sql, procedures/purchases/credit_purchase.sql, procedures/purchases/finish_store_notification.sql, procedures/purchases/refund_purchase.sql, procedures/storage/expire_videos.sql, procedures/storage/note_file_sweep.sql, procedures/webhooks/claim_webhooks.sql, procedures/webhooks/record_webhook_attempt.sql, procedures/webhooks/resume_webhooks.sql, procedures/webhooks/schedule_webhook.sql, grants.sql

set check_function_bodies = off;

-- source: procedures/accounts/current_user_id.sql sha256:1c3d3b14357b93d817e73f90481da8b478aa5d6562d24dcc3e6a0b24b6fa1c93
-- The account that the access token of a query through PostgREST or Realtime addresses; null if it has none, its session has
-- ended, the account is banned or deleted, or the row is an administrator's.
create or replace function public.current_user_id() returns uuid
language sql
stable
security definer
set search_path = ''
as $$
  select u.id
  from (
    select
      public.survivor_of(nullif(c.claims ->> 'sub', '')::uuid) as user_id,
      nullif(c.claims ->> 'session_id', '')::uuid as session_id
    from (select nullif(current_setting('request.jwt.claims', true), '')::jsonb as claims) c
  ) t
  join public.users u on u.id = t.user_id and u.deleted_at is null
  where not exists (select from public.user_bans b where b.user_id = u.id)
    and not exists (select from public.administrators a where a.user_id = u.id)
    and (
      t.session_id is null
      or exists (select from public.sessions s where s.id = t.session_id and s.user_id = u.id and s.revoked_at is null)
    )
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/current_user_id.sql', '1c3d3b14357b93d817e73f90481da8b478aa5d6562d24dcc3e6a0b24b6fa1c93')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/delete_account.sql sha256:4844162fe86778ff099f111b5f5a1033c19387712eac17890ba4a32b96e68642
-- Deletes an account: from this transaction on it has no identity, no session and no running job, and nothing of it is served.
-- `erase_account` then removes what is left of the person, in batches. A merged guest's id deletes its survivor, whose part it is.
-- Null: there is no such account.
-- @returns string | null
create or replace function public.delete_account(p_user_id uuid) returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
  v_uploads uuid[];
begin
  if v_user_id is null then
    return null;
  end if;
  perform public.fail_generation(job_id, 'ERR_5004')
  from (
    select job_id
    from public.video_jobs
    where user_id = v_user_id and status in ('pending', 'processing') and deleted_at is null
    order by job_id
  ) running;

  perform public.redact_notes(v_user_id, public.ids_of_account(v_user_id));
  perform public.schedule_apple_revocation(client_id, sealed_token) from public.apple_tokens where user_id = v_user_id;
  delete from public.apple_tokens where user_id = v_user_id;
  delete from public.apple_identities where user_id = v_user_id;
  delete from public.user_metadata where user_id = v_user_id;
  delete from public.sessions where user_id = v_user_id;
  delete from public.push_tokens where user_id = v_user_id;

  -- At most a few hundred. Those that are being stored keep their rows: whoever stores them, or the sweep, deletes their files.
  perform from public.uploads where user_id = v_user_id order by id for update;
  v_uploads := array(select id from public.uploads where user_id = v_user_id and stored_at is not null);
  update public.uploads
  set path = user_id || '/~' || id, stored_at = null, metadata = null, updated_at = clock_timestamp()
  where user_id = v_user_id and (stored_at is not null or metadata is not null);
  if cardinality(v_uploads) > 0 then
    perform public.enqueue('delete_uploads', json_build_object('ids', v_uploads), 'delete_uploads:' || v_user_id);
  end if;
  update public.users
  set deleted_at = clock_timestamp(), email = null, device_id = null, apple_sub = null, updated_at = now()
  where id = v_user_id;
  -- What is still to be sent of the account is sent: ids and numbers, nothing of the person.
  perform public.schedule_webhook(
    v_user_id,
    'account.deleted',
    jsonb_build_object(
      'user_id', v_user_id, 'merged_user_ids', array_remove(public.ids_of_account(v_user_id), v_user_id)
    )
  );
  perform public.enqueue('erase_account', json_build_object('user_id', v_user_id), 'erase:' || v_user_id);
  return v_user_id;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/delete_account.sql', '4844162fe86778ff099f111b5f5a1033c19387712eac17890ba4a32b96e68642')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/erase_account.sql sha256:4a044c5c0e8923c73f90eeb849d6087511ce62de7a48f6f3bf66454ab29ee944
-- Removes up to `p_limit` rows of each kind that still say something about the person of a deleted account: prompts, events, IP
-- addresses. Ledger rows stay: they name an account without a person. Returns how many rows were changed; the caller
-- repeats it until none is. The files of videos are deleted by the clean-up of each job.
create or replace function public.erase_account(p_user_id uuid, p_limit integer default 500) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_ids uuid[];
  v_jobs uuid[];
  v_count integer;
  v_sum integer := 0;
begin
  perform from public.users where id = p_user_id and deleted_at is not null for update;
  if not found or exists (select from public.merged_users where user_id = p_user_id) then
    return 0;
  end if;
  -- Guests that were merged into it too: a call that waited for the merge may have left something with the old id.
  v_ids := public.ids_of_account(p_user_id);
  select array_agg(job_id) into v_jobs
  from (
    -- Each half has an index of its own.
    (select job_id from public.video_jobs where user_id = p_user_id and deleted_at is null limit p_limit)
    union all
    (
      select job_id
      from public.video_jobs
      where user_id = p_user_id and deleted_at is not null and prompt <> '[deleted]'
      limit p_limit
    )
  ) found;
  update public.video_jobs
  set prompt = '[deleted]',
      image_url = null,
      error_message = null,
      -- A client may choose it.
      request_id = null,
      deleted_at = coalesce(deleted_at, clock_timestamp())
  where job_id = any (v_jobs);
  get diagnostics v_sum = row_count;
  -- A vendor's message may quote the prompt.
  update public.provider_attempts
  set error = null, result_error = null
  where job_id = any (v_jobs) and (error is not null or result_error is not null);
  delete from public.shares where job_id = any (v_jobs);
  perform public.schedule_cleanup(job_id) from unnest(v_jobs) as job_id;

  delete from public.user_events where id in (select id from public.user_events where user_id = any (v_ids) limit p_limit);
  get diagnostics v_count = row_count;
  v_sum := v_sum + v_count;
  delete from public.idempotency_log
  where (user_id, idempotency_key) in (
    select user_id, idempotency_key from public.idempotency_log where user_id = any (v_ids) limit p_limit
  );
  get diagnostics v_count = row_count;
  v_sum := v_sum + v_count;
  -- What counts for an IP address goes on counting.
  update public.rate_limit_log
  set user_id = null
  where id in (select id from public.rate_limit_log where user_id = any (v_ids) limit p_limit);
  get diagnostics v_count = row_count;
  v_sum := v_sum + v_count;
  update public.error_log
  set user_id = null, request_data = null, error_details = null
  where id in (select id from public.error_log where user_id = any (v_ids) limit p_limit);
  get diagnostics v_count = row_count;
  v_sum := v_sum + v_count;
  -- What the person has written. That a video was reported stays.
  update public.reports
  set reason = '[deleted]'
  where id in (
    select id
    from public.reports
    where reporter_user_id = any (v_ids) and reason <> '[deleted]'
    order by id
    limit p_limit
    for update
  );
  get diagnostics v_count = row_count;
  v_sum := v_sum + v_count;
  -- They name the account, and the purchases stay.
  update public.store_notifications
  set payload = null
  where (store, notification_id) in (
    select n.store, n.notification_id
    from public.purchases p
    join public.store_notifications n on n.transaction_id = p.transaction_id and n.store = p.store
    where p.user_id = p_user_id and n.payload is not null and n.processed_at is not null
    limit p_limit
  );
  get diagnostics v_count = row_count;
  v_sum := v_sum + v_count;
  delete from public.proven_devices where user_id = any (v_ids);
  delete from public.push_tokens where user_id = any (v_ids);
  delete from public.pushes where id in (select id from public.pushes where user_id = any (v_ids) limit p_limit);
  get diagnostics v_count = row_count;
  v_sum := v_sum + v_count;
  return v_sum;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/erase_account.sql', '4a044c5c0e8923c73f90eeb849d6087511ce62de7a48f6f3bf66454ab29ee944')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/link_apple_identity.sql sha256:71e36c074793f210ac61161f056ab5edf6f48c5c71fffda745e05aaf2f766f33
-- Makes a guest the account of an Apple user who has none. With `p_may_merge`, a guest is merged into the Apple user's account if
-- there is one. The caller has verified the identity token; `p_token_hash` is its hash, and a token that one guest has used is
-- refused to another. `became`: the guest is the account now. `merged`: everything has moved. `linked_before`: nothing moves.
-- `other_account`: the caller belongs to another Apple user. `identity_exists`: the Apple user has an account, and merging was
-- not asked for.
-- @returns {outcome: 'became' | 'merged' | 'linked_before', user_id: string}
--   | {outcome: 'user_not_found' | 'banned' | 'token_used' | 'other_account' | 'identity_exists'}
create or replace function public.link_apple_identity(
  p_user_id uuid,
  p_apple_sub text,
  p_is_email_verified boolean,
  p_is_private_email boolean,
  p_token_hash bytea,
  p_token_expires_at timestamptz,
  p_may_merge boolean,
  p_email text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_caller_id uuid;
  v_caller public.users;
  v_target public.users;
  v_token_user_id uuid;
begin
  perform public.lock_apple_sub(p_apple_sub);
  v_caller_id := public.survivor_of(p_user_id);
  -- Both rows in one order, so that two merges never wait for each other.
  perform from public.users where id = v_caller_id or (apple_sub = p_apple_sub and deleted_at is null) order by id for update;
  -- A merge of the caller may have been committed while this call waited. Its survivor is this Apple user's account, whose row is
  -- locked, or another's, which ends this call: a further row is not locked, because it could be out of order.
  v_caller_id := public.survivor_of(p_user_id);
  select * into v_caller from public.users where id = v_caller_id;
  select * into v_target from public.users where apple_sub = p_apple_sub and deleted_at is null;
  if v_caller.id is null
    or v_caller.deleted_at is not null
    or exists (select from public.administrators where user_id = v_caller.id)
  then
    return jsonb_build_object('outcome', 'user_not_found');
  end if;
  if exists (select from public.user_bans where user_id in (v_caller.id, v_target.id)) then
    return jsonb_build_object('outcome', 'banned');
  end if;
  if v_caller.apple_sub is not null and v_caller.apple_sub <> p_apple_sub then
    return jsonb_build_object('outcome', 'other_account');
  end if;

  select user_id into v_token_user_id from public.used_identity_tokens where token_hash = p_token_hash;
  -- The same guest may repeat its call; so may the account that this guest has become a part of.
  if found and public.survivor_of(v_token_user_id) <> v_caller.id then
    return jsonb_build_object('outcome', 'token_used');
  end if;
  if v_target.id <> v_caller.id and not p_may_merge then
    return jsonb_build_object('outcome', 'identity_exists');
  end if;
  insert into public.used_identity_tokens (token_hash, user_id, expires_at)
  values (p_token_hash, p_user_id, p_token_expires_at)
  on conflict (token_hash) do nothing;

  if v_target.id is null then
    update public.users
    set apple_sub = p_apple_sub, is_guest = false, updated_at = now()
    where id = v_caller.id;
    perform public.record_apple_identity(v_caller.id, p_email, p_is_email_verified, p_is_private_email);
    return jsonb_build_object('outcome', 'became', 'user_id', v_caller.id);
  end if;
  if v_target.id <> v_caller.id then
    perform public.merge_guest(v_caller.id, v_target.id);
  end if;
  perform public.record_apple_identity(v_target.id, p_email, p_is_email_verified, p_is_private_email);
  return jsonb_build_object(
    'outcome', case when v_target.id = v_caller.id then 'linked_before' else 'merged' end, 'user_id', v_target.id
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/link_apple_identity.sql', '71e36c074793f210ac61161f056ab5edf6f48c5c71fffda745e05aaf2f766f33')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/lock_account.sql sha256:5e0f2bdaa5407336d1ad4f75e8d9270b70c220b54b6850043fc0e39b0af48cc2
-- Locks the account that an id addresses and returns its row: for a merged guest the survivor's, also if the merge was committed
-- while this call waited. All columns are null if there is no such account, or it is deleted, or it is the row of an
-- administrator: that is no account of a user, so nothing can be charged, granted, opened, banned or deleted for it.
create or replace function public.lock_account(p_user_id uuid) returns public.users
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id uuid := public.survivor_of(p_user_id);
  v_user public.users;
begin
  loop
    select * into v_user from public.users where id = v_id for update;
    exit when v_user.deleted_at is null;
    select survivor_id into v_id from public.merged_users where user_id = v_user.id;
    if not found then
      return null;
    end if;
  end loop;
  if exists (select from public.administrators where user_id = v_user.id) then
    return null;
  end if;
  return v_user;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/lock_account.sql', '5e0f2bdaa5407336d1ad4f75e8d9270b70c220b54b6850043fc0e39b0af48cc2')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/merge_guest.sql sha256:6da60a9519ed1d14b691abbb9b7e90efa591309a063b14e561f24e45a8a1e2a4
-- Moves all that a guest has to the surviving account, in the caller's transaction. The caller holds both row locks. Every table
-- with a user's id is either moved here or named in the last comment; a test compares both with the tables. Rows that are also
-- locked without the row lock of their account are locked in one order.
create or replace function public.merge_guest(p_guest_id uuid, p_survivor_id uuid) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.merged_users (user_id, survivor_id) values (p_guest_id, p_survivor_id);
  perform from public.video_jobs where user_id = p_guest_id order by job_id for update;
  update public.video_jobs set user_id = p_survivor_id where user_id = p_guest_id;
  -- Before the balance moves: that the guest's is 0 then is no event of the survivor.
  update public.user_events set user_id = p_survivor_id where user_id = p_guest_id;
  perform public.move_balance(p_guest_id, p_survivor_id);

  perform public.redact_notes(p_guest_id, array[p_guest_id, p_survivor_id]);
  update public.users g
  set deleted_at = clock_timestamp(), device_id = null, email = null, updated_at = now()
  where g.id = p_guest_id;
  update public.users s
  set initial_grant_claimed = s.initial_grant_claimed or g.initial_grant_claimed,
      tier = case when g.tier = 'premium' then g.tier else s.tier end,
      updated_at = now()
  from public.users g
  where s.id = p_survivor_id and g.id = p_guest_id;

  perform from public.uploads where user_id = p_guest_id order by id for update;
  update public.uploads set user_id = p_survivor_id where user_id = p_guest_id;
  update public.sessions set user_id = p_survivor_id where user_id = p_guest_id;
  perform from public.push_tokens where user_id = p_guest_id order by id for update;
  update public.push_tokens set user_id = p_survivor_id where user_id = p_guest_id;
  perform public.trim_push_tokens(p_survivor_id);
  perform from public.pushes where user_id = p_guest_id order by id for update;
  update public.pushes set user_id = p_survivor_id where user_id = p_guest_id;
  update public.rate_limit_log set user_id = p_survivor_id where user_id = p_guest_id;
  update public.error_log set user_id = p_survivor_id where user_id = p_guest_id;
  -- A key that both have used stays the survivor's.
  update public.idempotency_log g
  set user_id = p_survivor_id
  where g.user_id = p_guest_id and not exists (
    select from public.idempotency_log s where s.user_id = p_survivor_id and s.idempotency_key = g.idempotency_key
  );
  delete from public.idempotency_log where user_id = p_guest_id;
  perform from public.purchases where user_id = p_guest_id order by id for update;
  update public.purchases set user_id = p_survivor_id where user_id = p_guest_id;
  -- A code that both have used stays the survivor's.
  update public.code_uses g
  set user_id = p_survivor_id
  where g.user_id = p_guest_id and not exists (
    select from public.code_uses s where s.user_id = p_survivor_id and s.code_id = g.code_id
  );
  delete from public.code_uses where user_id = p_guest_id;
  perform from public.reports where user_id = p_guest_id or reporter_user_id = p_guest_id order by id for update;
  update public.reports set user_id = p_survivor_id where user_id = p_guest_id;
  -- What both have reported stays the survivor's report.
  update public.reports g
  set reporter_user_id = p_survivor_id
  where g.reporter_user_id = p_guest_id and not exists (
    select from public.reports s where s.reporter_user_id = p_survivor_id and s.job_id = g.job_id
  );
  delete from public.reports where reporter_user_id = p_guest_id;
  -- It only says what a guest may store.
  delete from public.proven_devices where user_id = p_guest_id;
  insert into public.user_metadata (user_id, data)
  select p_survivor_id, data from public.user_metadata where user_id = p_guest_id
  on conflict (user_id) do nothing;
  delete from public.user_metadata where user_id = p_guest_id;
  -- What they tell stays as it was: it names the guest.
  perform from public.webhook_deliveries where user_id = p_guest_id order by id for update;
  update public.webhook_deliveries set user_id = p_survivor_id where user_id = p_guest_id;
  perform public.schedule_webhook(
    p_survivor_id, 'account.merged', jsonb_build_object('user_id', p_survivor_id, 'merged_user_id', p_guest_id)
  );
  -- Wakes the survivor's event streams, which have the guest's events now.
  perform pg_catalog.pg_notify('user_events', p_survivor_id::text);
  -- Stay with the guest's id: quota_log, device_grants, job_counters, admin_actions, used_identity_tokens. A guest that is merged
  -- has no row in user_bans, apple_identities and apple_tokens.
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/merge_guest.sql', '6da60a9519ed1d14b691abbb9b7e90efa591309a063b14e561f24e45a8a1e2a4')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/add_figures.sql sha256:43eda3c4ff8d775e0c25553a323a6660c168c6d78bc5107d35d51d6f449455cf
-- The sums of two days' figures.
create or replace function public.add_figures(p_one jsonb, p_other jsonb) returns jsonb
language sql
immutable
set search_path = ''
as $$
  select jsonb_object_agg(s.figure, s.amounts)
  from (
    select a.figure, jsonb_object_agg(a.subject, a.amount) as amounts
    from (
      select f.key as figure, v.key as subject, sum(v.value::numeric) as amount
      from (values (p_one), (p_other)) d (figures)
      cross join lateral jsonb_each(d.figures) f
      cross join lateral jsonb_each_text(f.value) v
      group by 1, 2
    ) a
    group by a.figure
  ) s
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/add_figures.sql', '43eda3c4ff8d775e0c25553a323a6660c168c6d78bc5107d35d51d6f449455cf')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/admin_adjust_credits.sql sha256:e82d9c70dcfadda5864ae7a8658344d52f3e125f893dc811b002d2797b780e6c
-- Corrects a balance by an administrator's decision, up or down, never below zero. `credits_total`, what was earned, stays.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found' | 'invalid_amount'}
--   | {outcome: 'below_zero', credits_remaining: number}
create or replace function public.admin_adjust_credits(p_by jsonb, p_user_id uuid, p_amount integer, p_reason text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_adjust_credits');
  v_user public.users;
  v_moved jsonb;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  v_user := public.lock_account(p_user_id);
  if v_user.id is null then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  if p_amount < 0 then
    v_moved := public.deduct_credits(v_user.id, -p_amount, 'admin_adjustment');
  else
    v_moved := public.add_credits(v_user.id, p_amount, 'admin_adjustment');
  end if;
  if not (v_moved ->> 'success')::boolean then
    return case
      when v_moved ? 'current_credits'
        then jsonb_build_object('outcome', 'below_zero', 'credits_remaining', v_moved -> 'current_credits')
      else jsonb_build_object('outcome', 'invalid_amount')
    end;
  end if;
  return public.finish_admin_action(
    p_by, 'admin_adjust_credits', 'credit_adjustment', p_reason,
    jsonb_build_object('user_id', v_user.id, 'amount', p_amount),
    jsonb_build_object('success', true, 'new_balance', v_moved -> 'credits_remaining')
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/admin_adjust_credits.sql', 'e82d9c70dcfadda5864ae7a8658344d52f3e125f893dc811b002d2797b780e6c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/admin_ban_user.sql sha256:b9ff8a6398e4e05a228f5fa4fd1ffff4b9d72bda65b656156391553d8b952d78
-- Bans an account: from this transaction on its tokens open nothing, and its event streams end. A merged guest's id bans the
-- survivor. An account that is banned already stays as it is.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found'}
create or replace function public.admin_ban_user(p_by jsonb, p_user_id uuid, p_reason text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_ban_user');
  v_user public.users;
  v_response constant jsonb := jsonb_build_object('success', true);
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  v_user := public.lock_account(p_user_id);
  if v_user.id is null then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  insert into public.user_bans (user_id, reason) values (v_user.id, p_reason) on conflict (user_id) do nothing;
  if not found then
    return public.answer_admin_action(p_by, 'admin_ban_user', v_response);
  end if;
  return public.finish_admin_action(
    p_by, 'admin_ban_user', 'user_ban', p_reason, jsonb_build_object('user_id', v_user.id), v_response
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/admin_ban_user.sql', 'b9ff8a6398e4e05a228f5fa4fd1ffff4b9d72bda65b656156391553d8b952d78')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/admin_cancel_job.sql sha256:eaff55981ffc9852fa68c4510e65e2a1acb50afd3e142296fbe646ce037c6f91
-- Cancels and refunds a generation that has not ended, by an administrator's decision: without the owner's limit, and also while
-- its finished video is being delivered. The queue cancels it at the vendor. `final`: the job has ended.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found'}
--   | {outcome: 'final', status: string}
create or replace function public.admin_cancel_job(p_by jsonb, p_job_id uuid, p_reason text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_cancel_job');
  v_job public.video_jobs;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  v_job := public.lock_job(p_job_id);
  if v_job.job_id is null then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  if not public.fail_generation(p_job_id, 'ERR_5004') then
    return jsonb_build_object('outcome', 'final', 'status', v_job.status);
  end if;
  return public.finish_admin_action(
    p_by, 'admin_cancel_job', 'job_cancel', p_reason,
    jsonb_build_object(
      'user_id', v_job.user_id,
      'job_id', p_job_id,
      'amount', v_job.credits_used,
      'details', jsonb_build_object('status', v_job.status)
    ),
    jsonb_build_object('success', true, 'refunded', v_job.credits_used)
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/admin_cancel_job.sql', 'eaff55981ffc9852fa68c4510e65e2a1acb50afd3e142296fbe646ce037c6f91')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/admin_create_code.sql sha256:ad1d9bbb9de64475497a02596d7edbc3c2456efd547bb0b2a7e221e4aef004fa
-- Creates a code that gives credits. `p_code` in the form in which codes are stored; null: one that cannot be guessed. `exists`: there
-- is such a code. `past`: it would have expired already.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'exists' | 'past'}
create or replace function public.admin_create_code(
  p_by jsonb,
  p_credits integer,
  p_uses_max integer,
  p_reason text,
  p_code text default null,
  p_expires_at timestamptz default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_create_code');
  v_code public.codes;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  if p_expires_at <= clock_timestamp() then
    return jsonb_build_object('outcome', 'past');
  end if;
  v_code := public.create_code(p_credits, p_uses_max, p_code, p_expires_at);
  if v_code.id is null then
    return jsonb_build_object('outcome', 'exists');
  end if;
  -- By its id: the code itself is worth credits to whoever reads the actions.
  return public.finish_admin_action(
    p_by, 'admin_create_code', 'code_create', p_reason,
    jsonb_build_object(
      'target', v_code.id,
      'amount', p_credits,
      'details', jsonb_build_object('uses_max', p_uses_max, 'expires_at', public.iso_time(p_expires_at))
    ),
    jsonb_build_object(
      'id', v_code.id,
      'code', v_code.code,
      'credits', v_code.credits,
      'uses', v_code.uses,
      'uses_max', v_code.uses_max,
      'expires_at', public.iso_time(v_code.expires_at),
      'created_at', public.iso_time(v_code.created_at)
    )
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/admin_create_code.sql', 'ad1d9bbb9de64475497a02596d7edbc3c2456efd547bb0b2a7e221e4aef004fa')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/admin_pause.sql sha256:37f6c372ea970c6ab09ca294c76245740630c00df4f28c17793decdbf832caa7
-- Stops the sale of generations, or goes on with it. What was paid for is finished, and purchases are credited. The charge of a call that
-- began before this may still be committed.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused'}
create or replace function public.admin_pause(p_by jsonb, p_is_paused boolean, p_reason text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_pause');
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  update public.settings
  set is_paused = p_is_paused, updated_at = clock_timestamp()
  where is_paused <> p_is_paused;
  return public.finish_admin_action(
    p_by, 'admin_pause', case when p_is_paused then 'pause' else 'resume' end, p_reason,
    jsonb_build_object('target', 'paid work'),
    jsonb_build_object('success', true)
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/admin_pause.sql', '37f6c372ea970c6ab09ca294c76245740630c00df4f28c17793decdbf832caa7')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/admin_refund_credits.sql sha256:14c2ede5db6ba94a943d35182e52766766da3295870d1d363c7033609d9bc61b
-- Gives an account credits back, by an administrator's decision. `credits_total`, what was earned, stays.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found' | 'invalid_amount'}
create or replace function public.admin_refund_credits(p_by jsonb, p_user_id uuid, p_amount integer, p_reason text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_refund_credits');
  v_user public.users;
  v_added jsonb;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  v_user := public.lock_account(p_user_id);
  if v_user.id is null then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  v_added := public.add_credits(v_user.id, p_amount, 'admin_refund');
  if not (v_added ->> 'success')::boolean then
    return jsonb_build_object('outcome', 'invalid_amount');
  end if;
  return public.finish_admin_action(
    p_by, 'admin_refund_credits', 'credit_refund', p_reason,
    jsonb_build_object('user_id', v_user.id, 'amount', p_amount),
    jsonb_build_object('success', true, 'new_balance', v_added -> 'credits_remaining')
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/admin_refund_credits.sql', '14c2ede5db6ba94a943d35182e52766766da3295870d1d363c7033609d9bc61b')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/admin_replay_delivery.sql sha256:eed0bb90a4891a314142eb01c6cb428b79c80fca9c00d49fe90206d35edc6fbc
-- Sends an outgoing webhook or a push once more, by an administrator's decision, also one that was delivered: with the same webhook-id, and with
-- all attempts again. Sending goes on, if the receiver had said that it is gone. `off`: no receiver is configured.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found' | 'off'}
create or replace function public.admin_replay_delivery(p_by jsonb, p_delivery_id uuid, p_reason text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_replay_delivery');
  v_user_id uuid := coalesce(
    (select user_id from public.webhook_deliveries where id = p_delivery_id),
    (select user_id from public.pushes where id = p_delivery_id)
  );
  v_delivery public.webhook_deliveries;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  -- Before the delivery's row, as a merge does. The row of admin_actions refers to it.
  perform from public.users where id = v_user_id for key share;
  select * into v_delivery from public.webhook_deliveries where id = p_delivery_id for update;
  if not found then
    if not public.replay_push(p_delivery_id) then
      return jsonb_build_object('outcome', 'not_found');
    end if;
    return public.finish_admin_action(
      p_by, 'admin_replay_delivery', 'push_replay', p_reason,
      jsonb_build_object('user_id', v_user_id, 'target', p_delivery_id),
      jsonb_build_object('success', true)
    );
  end if;
  if not (select sends_webhooks from public.settings) then
    return jsonb_build_object('outcome', 'off');
  end if;
  update public.webhook_deliveries
  set state = 'pending', attempts = 0, delivered_at = null, next_attempt_at = clock_timestamp()
  where id = p_delivery_id;
  perform public.resume_webhooks();
  return public.finish_admin_action(
    p_by, 'admin_replay_delivery', 'delivery_replay', p_reason,
    jsonb_build_object(
      'user_id', v_user_id,
      'target', p_delivery_id,
      'details', jsonb_build_object('type', v_delivery.type, 'state', v_delivery.state)
    ),
    jsonb_build_object('success', true)
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/admin_replay_delivery.sql', 'eed0bb90a4891a314142eb01c6cb428b79c80fca9c00d49fe90206d35edc6fbc')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/admin_toggle_model.sql sha256:f020e4947bc8998b6dcd0d4b87ae8d13b9c64cb0f197096da7df3fe15a84cb9d
-- Puts a model on offer or takes it off. What was begun with it goes on.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found'}
create or replace function public.admin_toggle_model(p_by jsonb, p_model_id uuid, p_is_available boolean, p_reason text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_toggle_model');
  v_model public.models;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  select * into v_model from public.models where id = p_model_id for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  if v_model.is_available = p_is_available then
    return public.answer_admin_action(p_by, 'admin_toggle_model', public.model_of_admin(v_model));
  end if;
  update public.models set is_available = p_is_available where id = p_model_id returning * into v_model;
  return public.finish_admin_action(
    p_by,
    'admin_toggle_model',
    case when p_is_available then 'model_enable' else 'model_disable' end,
    p_reason,
    jsonb_build_object('model_id', p_model_id),
    public.model_of_admin(v_model)
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/admin_toggle_model.sql', 'f020e4947bc8998b6dcd0d4b87ae8d13b9c64cb0f197096da7df3fe15a84cb9d')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/admin_unban_user.sql sha256:c6806c310113296fbfa47dd03029518e0c17605ad08611687832956a23b3bafb
-- Lifts the ban of an account; its sessions go on. An account that is not banned stays as it is.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found'}
create or replace function public.admin_unban_user(p_by jsonb, p_user_id uuid, p_reason text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_unban_user');
  v_user public.users;
  v_response constant jsonb := jsonb_build_object('success', true);
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  v_user := public.lock_account(p_user_id);
  if v_user.id is null then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  delete from public.user_bans where user_id = v_user.id;
  if not found then
    return public.answer_admin_action(p_by, 'admin_unban_user', v_response);
  end if;
  return public.finish_admin_action(
    p_by, 'admin_unban_user', 'user_unban', p_reason, jsonb_build_object('user_id', v_user.id), v_response
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/admin_unban_user.sql', 'c6806c310113296fbfa47dd03029518e0c17605ad08611687832956a23b3bafb')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/admin_update_model.sql sha256:39286ee035166c118f25612aedf8b8f570140cfe82a7a6587c187678eb864f14
-- Changes a model: {name, description, price_credits, price_per_seconds, is_featured, settings_schema, thumbnail_url}, each optional.
-- Later generations cost the new price; those that were begun keep theirs. A `price_per_seconds` sells the model by the second from
-- then on. `no_duration`: its settings have no default duration, without which there is no price by the second.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found' | 'no_duration'}
create or replace function public.admin_update_model(p_by jsonb, p_model_id uuid, p_changes jsonb, p_reason text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_update_model');
  v_before public.models;
  v_after public.models;
  v_price integer;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  select * into v_before from public.models where id = p_model_id for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;

  v_after := v_before;
  v_after.name := coalesce(p_changes ->> 'name', v_before.name);
  v_after.description := coalesce(p_changes ->> 'description', v_before.description);
  v_after.is_featured := coalesce((p_changes ->> 'is_featured')::boolean, v_before.is_featured);
  v_after.settings_schema := coalesce(p_changes -> 'settings_schema', v_before.settings_schema);
  -- An empty text removes it.
  v_after.thumbnail_url := nullif(coalesce(p_changes ->> 'thumbnail_url', v_before.thumbnail_url), '');
  v_price := coalesce((p_changes ->> 'price_credits')::integer, v_before.price_credits, v_before.cost_per_generation);
  v_after.price_per_seconds := coalesce((p_changes ->> 'price_per_seconds')::integer, v_before.price_per_seconds);
  if v_after.price_per_seconds is null then
    v_after.cost_per_generation := v_price;
  elsif jsonb_typeof(v_after.settings_schema #> '{properties,duration,default}') is distinct from 'number' then
    return jsonb_build_object('outcome', 'no_duration');
  else
    v_after.price_credits := v_price;
  end if;
  if v_after is not distinct from v_before then
    return public.answer_admin_action(p_by, 'admin_update_model', public.model_of_admin(v_before));
  end if;

  -- A trigger computes cost_per_generation of what is sold by the second.
  update public.models
  set name = v_after.name,
      description = v_after.description,
      is_featured = v_after.is_featured,
      settings_schema = v_after.settings_schema,
      thumbnail_url = v_after.thumbnail_url,
      price_credits = v_after.price_credits,
      price_per_seconds = v_after.price_per_seconds,
      cost_per_generation = v_after.cost_per_generation
  where id = p_model_id
  returning * into v_after;
  return public.finish_admin_action(
    p_by, 'admin_update_model', 'model_update', p_reason,
    jsonb_build_object('model_id', p_model_id, 'details', public.changed_values(to_jsonb(v_before), to_jsonb(v_after))),
    public.model_of_admin(v_after)
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/admin_update_model.sql', '39286ee035166c118f25612aedf8b8f570140cfe82a7a6587c187678eb864f14')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/admin_update_product.sql sha256:a7bbc3017f08b303a129260a4782e4b9ccbfd0717c753de70cd351130619aac7
-- Changes a product: {credits, display_name, is_active}, each optional. Purchases that are credited from then on give the new number;
-- those that were credited stay.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found'}
create or replace function public.admin_update_product(p_by jsonb, p_product_id text, p_changes jsonb, p_reason text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_update_product');
  v_before public.products;
  v_after public.products;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  select * into v_before from public.products where product_id = p_product_id for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  v_after := v_before;
  v_after.credits := coalesce((p_changes ->> 'credits')::integer, v_before.credits);
  v_after.display_name := coalesce(p_changes ->> 'display_name', v_before.display_name);
  v_after.is_active := coalesce((p_changes ->> 'is_active')::boolean, v_before.is_active);
  if v_after is not distinct from v_before then
    return public.answer_admin_action(p_by, 'admin_update_product', public.product_of_admin(v_before));
  end if;
  update public.products
  set credits = v_after.credits,
      display_name = v_after.display_name,
      is_active = v_after.is_active,
      updated_at = clock_timestamp()
  where product_id = p_product_id
  returning * into v_after;
  return public.finish_admin_action(
    p_by, 'admin_update_product', 'product_update', p_reason,
    jsonb_build_object('target', p_product_id, 'details', public.changed_values(to_jsonb(v_before), to_jsonb(v_after))),
    public.product_of_admin(v_after)
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/admin_update_product.sql', 'a7bbc3017f08b303a129260a4782e4b9ccbfd0717c753de70cd351130619aac7')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/administrator_state.sql sha256:e5fca8b40c07e631ce543f341913b8b6977f82cba5624800da436808c2d61dbf
-- Whether an e-mail address is an administrator's; null: there is none with it. The owner's alone.
-- @owner
-- @returns 'active' | 'revoked' | null
create or replace function public.administrator_state(p_email text) returns text
language sql
stable
security definer
set search_path = ''
as $$
  select case when revoked_at is null then 'active' else 'revoked' end
  from public.administrators
  where email = lower(btrim(p_email))
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/administrator_state.sql', 'e5fca8b40c07e631ce543f341913b8b6977f82cba5624800da436808c2d61dbf')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/answer_admin_action.sql sha256:e97bcd6ebf1f240672499773c12e08d428a6820bf3fd227296fe00de3288e65b
-- Returns what a change by an administrator returns, and stores the response under the key, if one was sent. Alone it ends a change
-- that had nothing to change: an account that is banned already, say.
-- @returns {outcome: 'done', status_code: number, response: Json}
create or replace function public.answer_admin_action(p_by jsonb, p_operation text, p_response jsonb) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
begin
  if p_by ->> 'admin_user_id' is not null and p_by ->> 'idempotency_key' is not null then
    perform public.store_response(
      (p_by ->> 'admin_user_id')::uuid,
      (p_by ->> 'idempotency_key')::uuid,
      p_operation,
      p_by ->> 'request_hash',
      p_response
    );
  end if;
  return jsonb_build_object('outcome', 'done', 'status_code', 200, 'response', p_response);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/answer_admin_action.sql', 'e97bcd6ebf1f240672499773c12e08d428a6820bf3fd227296fe00de3288e65b')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/begin_admin_action.sql sha256:1639e251d6a38c39c1573a5e21165cc9c42e1395a62f14b7391f396fe21ff063
-- The beginning of every change by an administrator, before its first lock. Null: go on. Otherwise what to return: the session has ended,
-- the key was used for another request, or this request was answered before. One administrator's changes come one after the
-- other, so that of two with one key the second finds the first's response, and none happens after a revocation.
-- `p_by` says who asks: {admin_user_id, session_id, idempotency_key, request_hash}; the owner on the command line has no
-- administrator and no session.
-- @returns {outcome: 'session_ended' | 'key_reused'} | {outcome: 'replayed', status_code: number, response: Json} | null
create or replace function public.begin_admin_action(p_by jsonb, p_operation text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_admin_user_id uuid := (p_by ->> 'admin_user_id')::uuid;
begin
  if v_admin_user_id is null then
    -- `role` is what the session has set, whoever owns this function: the server always acts as rendio_server.
    if current_setting('role') <> 'none' then
      return jsonb_build_object('outcome', 'session_ended');
    end if;
    return null;
  end if;
  perform from public.administrators where user_id = v_admin_user_id and revoked_at is null for update;
  if not found or not exists (
    select from public.admin_sessions
    where id = (p_by ->> 'session_id')::uuid
      and admin_user_id = v_admin_user_id
      and ended_at is null
      and expires_at > clock_timestamp()
  ) then
    return jsonb_build_object('outcome', 'session_ended');
  end if;
  return public.find_response(
    v_admin_user_id, (p_by ->> 'idempotency_key')::uuid, p_operation, p_by ->> 'request_hash'
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/begin_admin_action.sql', '1639e251d6a38c39c1573a5e21165cc9c42e1395a62f14b7391f396fe21ff063')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/changed_values.sql sha256:96dde8dcc3f4602c43e3a87220598f2ccc7f91e7fd2aeadb8321da9de6d99d3a
-- What differs between two versions of a row, for the record of a change: {column: {from, to}}. Columns that follow the clock do
-- not count. Empty: nothing differs.
create or replace function public.changed_values(p_before jsonb, p_after jsonb) returns jsonb
language sql
immutable
set search_path = ''
as $$
  select coalesce(jsonb_object_agg(a.key, jsonb_build_object('from', b.value, 'to', a.value)), '{}')
  from jsonb_each(p_after) a
  join jsonb_each(p_before) b on b.key = a.key
  where a.value <> b.value and a.key <> 'updated_at'
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/changed_values.sql', '96dde8dcc3f4602c43e3a87220598f2ccc7f91e7fd2aeadb8321da9de6d99d3a')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/count_days.sql sha256:a97f3058b083347342a775ad3a442eff1445212925e83335184cc2727b1758c0
-- Adds rows to the figures of their days, each once: at most `p_limit` of each kind, up to what an earlier call has noted. `is_limited`:
-- there is more to count. `has_advanced`: another call may count what was noted meanwhile. Null: another process counts.
-- Of two rows, the one with the lower number or time may be committed later. So rows are counted ten seconds after they were noted,
-- once every transaction that was running has ended; a minute is enough: no statement of the server runs for as long.
-- @returns {is_limited: boolean, has_advanced: boolean} | null
create or replace function public.count_days(p_limit integer default 5000) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_ledger_seq bigint;
  v_error_id bigint;
  v_progress public.day_progress;
  v_xid xid8;
  v_age interval;
  v_bounds record;
begin
  -- Before this transaction has an id: those that were running when this was read have lower ones.
  select coalesce(max(seq), 0) into v_ledger_seq from public.quota_log;
  select coalesce(max(id), 0) into v_error_id from public.error_log;
  select * into v_progress from public.day_progress for update skip locked;
  if not found then
    return null;
  end if;
  v_xid := pg_current_xact_id();
  v_age := now() - v_progress.noted_at;
  if v_age < interval '10 seconds'
    or (pg_snapshot_xmin(pg_current_snapshot()) < v_progress.noted_xid and v_age < interval '1 minute')
  then
    return jsonb_build_object('is_limited', false, 'has_advanced', false);
  end if;

  select * into v_bounds
  from public.day_bounds(p_limit, v_progress.noted_ledger_seq, v_progress.noted_error_id, v_progress.noted_at);
  insert into public.day_figures as f (day, figures)
  select u.day, jsonb_object_agg(u.figure, u.amounts)
  from (
    select day, figure, jsonb_object_agg(subject, amount) as amounts
    from public.uncounted_figures(v_bounds.ledger_seq, v_bounds.error_id, v_bounds.jobs_at, v_bounds.attempts_at)
    group by day, figure
  ) u
  group by u.day
  on conflict (day) do update set figures = public.add_figures(f.figures, excluded.figures);
  -- Jobs are counted in the order of their end, so the days before the last of them have all theirs.
  update public.day_figures
  set figures = figures - 'duration' || jsonb_build_object('seconds', public.seconds_of(figures -> 'duration'))
  where day < (v_bounds.jobs_at at time zone 'utc')::date and figures ? 'duration';

  update public.day_progress
  set ledger_seq = v_bounds.ledger_seq,
      error_id = v_bounds.error_id,
      jobs_at = v_bounds.jobs_at,
      attempts_at = v_bounds.attempts_at;
  if not v_bounds.is_limited then
    update public.day_progress
    set noted_ledger_seq = v_ledger_seq, noted_error_id = v_error_id, noted_xid = v_xid, noted_at = now();
  end if;
  return jsonb_build_object('is_limited', v_bounds.is_limited, 'has_advanced', true);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/count_days.sql', 'a97f3058b083347342a775ad3a442eff1445212925e83335184cc2727b1758c0')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/create_admin_link.sql sha256:1ce2585bb019e45ccf72e313480bf76d50a3805ef6192dade36f9cc6a1e53d33
-- Stores a one-time link of an administrator, good for 15 minutes. Returns whether there is such an administrator. The owner's alone.
-- @owner
create or replace function public.create_admin_link(p_email text, p_token_hash bytea) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id uuid;
begin
  select user_id into v_id
  from public.administrators
  where email = lower(btrim(p_email)) and revoked_at is null
  for update;
  if not found then
    return false;
  end if;
  insert into public.admin_links (token_hash, admin_user_id, expires_at)
  values (p_token_hash, v_id, clock_timestamp() + interval '15 minutes');
  perform public.record_owner_action('administrator_link', v_id);
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/create_admin_link.sql', '1ce2585bb019e45ccf72e313480bf76d50a3805ef6192dade36f9cc6a1e53d33')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/create_administrator.sql sha256:a78abf9447415a44b7328eea7a82cbc7b4df3cf8a69917c81b822da66fffeeb3
-- Makes an administrator, or gives one whose rights were revoked these back. Returns the id. The owner's alone: nothing that a client
-- can write makes an administrator.
-- @owner
create or replace function public.create_administrator(p_email text) returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_email text := lower(btrim(p_email));
  v_id uuid;
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('administrator ' || v_email, 0));
  select user_id into v_id from public.administrators where email = v_email;
  if v_id is null then
    insert into public.users (email, is_guest, is_admin) values (v_email, false, true) returning id into v_id;
    insert into public.administrators (user_id, email) values (v_id, v_email);
  else
    update public.administrators set revoked_at = null where user_id = v_id and revoked_at is not null;
    if not found then
      return v_id;
    end if;
    update public.users set is_admin = true, updated_at = now() where id = v_id;
  end if;
  perform public.record_owner_action('administrator_create', v_id);
  return v_id;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/create_administrator.sql', 'a78abf9447415a44b7328eea7a82cbc7b4df3cf8a69917c81b822da66fffeeb3')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/day_bounds.sql sha256:4448c4eedab6e17c77d9c5e60bbeacc3035e9178ba41b4cfbda66d750e055213
-- How far the next count of the days goes: at most `p_limit` rows of each kind behind what is counted, and no further than the other
-- arguments. `is_limited`: there are more.
create or replace function public.day_bounds(p_limit integer, p_ledger_seq bigint, p_error_id bigint, p_time timestamptz)
returns table (ledger_seq bigint, error_id bigint, jobs_at timestamptz, attempts_at timestamptz, is_limited boolean)
language sql
rows 1
stable
security definer
set search_path = ''
set jit = off
as $$
  select
    case when l.rows < p_limit then greatest(p.ledger_seq, p_ledger_seq) else l.until end,
    case when e.rows < p_limit then greatest(p.error_id, p_error_id) else e.until end,
    case when j.rows < p_limit then greatest(p.jobs_at, p_time) else j.until end,
    case when a.rows < p_limit then greatest(p.attempts_at, p_time) else a.until end,
    greatest(l.rows, e.rows, j.rows, a.rows) >= p_limit
  from public.day_progress p
  cross join lateral (
    select count(*) as rows, max(r.seq) as until
    from (select seq from public.quota_log where seq > p.ledger_seq and seq <= p_ledger_seq order by seq limit p_limit) r
  ) l
  cross join lateral (
    select count(*) as rows, max(r.id) as until
    from (select id from public.error_log where id > p.error_id and id <= p_error_id order by id limit p_limit) r
  ) e
  cross join lateral (
    select count(*) as rows, max(r.completed_at) as until
    from (
      select completed_at
      from public.video_jobs
      where completed_at > p.jobs_at and completed_at <= p_time
      order by completed_at
      limit p_limit
    ) r
  ) j
  cross join lateral (
    select count(*) as rows, max(r.ended_at) as until
    from (
      select ended_at
      from public.provider_attempts
      where ended_at > p.attempts_at and ended_at <= p_time
      order by ended_at
      limit p_limit
    ) r
  ) a
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/day_bounds.sql', '4448c4eedab6e17c77d9c5e60bbeacc3035e9178ba41b4cfbda66d750e055213')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/end_admin_session.sql sha256:4582b475978781215b7d06d915c647afa35843ed17d2097b07da74b7123506ae
-- Ends an administrator's session. Returns whether it was open.
create or replace function public.end_admin_session(p_session_id uuid) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.admin_sessions set ended_at = clock_timestamp() where id = p_session_id and ended_at is null;
  return found;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/end_admin_session.sql', '4582b475978781215b7d06d915c647afa35843ed17d2097b07da74b7123506ae')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/finish_admin_action.sql sha256:3dbad704355141e9ea12b27a3701426f0bb60f0e1b9c5edfefda1cef5c214111
-- The end of every change by an administrator, in the transaction that made it: its row of admin_actions, and the response under the
-- key, if one was sent. `p_target` says whom and what it concerned: {user_id, model_id, job_id, target, amount, details}, each
-- optional. Returns what the change returns.
-- @returns {outcome: 'done', status_code: number, response: Json}
create or replace function public.finish_admin_action(
  p_by jsonb,
  p_operation text,
  p_action_type text,
  p_reason text,
  p_target jsonb,
  p_response jsonb
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.admin_actions (
    admin_user_id, session_id, action_type, target_user_id, target_model_id, target_job_id, target, amount, reason, details
  )
  values (
    (p_by ->> 'admin_user_id')::uuid,
    (p_by ->> 'session_id')::uuid,
    p_action_type,
    (p_target ->> 'user_id')::uuid,
    (p_target ->> 'model_id')::uuid,
    (p_target ->> 'job_id')::uuid,
    p_target ->> 'target',
    (p_target ->> 'amount')::integer,
    p_reason,
    coalesce(p_target -> 'details', '{}')
  );
  return public.answer_admin_action(p_by, p_operation, p_response);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/finish_admin_action.sql', '3dbad704355141e9ea12b27a3701426f0bb60f0e1b9c5edfefda1cef5c214111')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/iso_time.sql sha256:39db07235cb3b363d912228d67b52dd0c225250956f6a450f8a2eab7d9ceab80
-- A time as the API writes it: in UTC, ISO 8601 with milliseconds.
create or replace function public.iso_time(p_time timestamptz) returns text
language sql
stable
set search_path = ''
as $$
  select to_char(p_time at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/iso_time.sql', '39db07235cb3b363d912228d67b52dd0c225250956f6a450f8a2eab7d9ceab80')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/model_of_admin.sql sha256:13cc39d9d7e068fa5f2f67a8310f60a0fb500f6a805caf0cc883a09e54e5d435
-- A model as administrators see it: also while it is not available.
create or replace function public.model_of_admin(p_model public.models) returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', p_model.id,
    'name', p_model.name,
    'category', p_model.category,
    'description', p_model.description,
    'cost_per_generation', p_model.cost_per_generation,
    'pricing', jsonb_build_object(
      'credits', coalesce(p_model.price_credits, p_model.cost_per_generation), 'per_seconds', p_model.price_per_seconds
    ),
    'provider', p_model.provider,
    'provider_model_id', p_model.provider_model_id,
    'is_featured', p_model.is_featured,
    'is_available', p_model.is_available,
    'requires_image', p_model.requires_image,
    'prompt_max', p_model.prompt_max,
    'thumbnail_url', p_model.thumbnail_url,
    'settings_schema', p_model.settings_schema,
    'created_at', public.iso_time(p_model.created_at),
    'updated_at', public.iso_time(p_model.updated_at)
  )
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/model_of_admin.sql', '13cc39d9d7e068fa5f2f67a8310f60a0fb500f6a805caf0cc883a09e54e5d435')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/open_admin_session.sql sha256:fe96cabd661e346672c41d9f5cf646701702e33afdc6c3c03b76badfc97e2322
-- Opens a session of one hour with the token of a one-time link, which it uses up. Null: the link is unknown, used or expired, or
-- its administrator's rights were revoked.
-- @returns {admin_user_id: string, email: string, expires_at: string} | null
create or replace function public.open_admin_session(p_session_id uuid, p_token_hash bytea) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_administrator public.administrators;
  v_expires_at timestamptz := date_trunc('second', clock_timestamp()) + interval '1 hour';
begin
  -- The administrator's row first: a revocation holds it while it ends links and sessions.
  select a.* into v_administrator
  from public.administrators a
  join public.admin_links l on l.admin_user_id = a.user_id
  where l.token_hash = p_token_hash
  for update of a;
  if v_administrator.user_id is null then
    return null;
  end if;
  update public.admin_links
  set used_at = clock_timestamp()
  where token_hash = p_token_hash and used_at is null and expires_at > clock_timestamp();
  if not found or v_administrator.revoked_at is not null then
    return null;
  end if;
  insert into public.admin_sessions (id, admin_user_id, opened_by, expires_at)
  values (p_session_id, v_administrator.user_id, 'link', v_expires_at);
  return jsonb_build_object(
    'admin_user_id', v_administrator.user_id, 'email', v_administrator.email, 'expires_at', v_expires_at
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/open_admin_session.sql', 'fe96cabd661e346672c41d9f5cf646701702e33afdc6c3c03b76badfc97e2322')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/open_admin_session_by_email.sql sha256:0ede6826485c57a4b354ea8324f132ae76d7449ca9e3b77a5d1aa92dfb5388d1
-- Opens a session of one hour for whoever has the command line. Null: there is no such administrator. The owner's alone.
-- @owner
-- @returns {admin_user_id: string, email: string, expires_at: string} | null
create or replace function public.open_admin_session_by_email(p_session_id uuid, p_email text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_administrator public.administrators;
  v_expires_at timestamptz := date_trunc('second', clock_timestamp()) + interval '1 hour';
begin
  select * into v_administrator
  from public.administrators
  where email = lower(btrim(p_email)) and revoked_at is null
  for update;
  if v_administrator.user_id is null then
    return null;
  end if;
  insert into public.admin_sessions (id, admin_user_id, opened_by, expires_at)
  values (p_session_id, v_administrator.user_id, 'command_line', v_expires_at);
  perform public.record_owner_action('administrator_session', v_administrator.user_id);
  return jsonb_build_object(
    'admin_user_id', v_administrator.user_id, 'email', v_administrator.email, 'expires_at', v_expires_at
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/open_admin_session_by_email.sql', '0ede6826485c57a4b354ea8324f132ae76d7449ca9e3b77a5d1aa92dfb5388d1')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/owner_replays_notification.sql sha256:d8351abf530f4b8b376ba033bb6301b8bab97aaed8b754c3a268f69dd18d359b
-- Has the worker process the notifications with an id once more, of whichever store. `erased`: their text was deleted with the
-- account. The owner's alone.
-- @owner
-- @returns 'replayed' | 'erased' | 'not_found'
create or replace function public.owner_replays_notification(p_notification_id text) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_found integer;
  v_replayed integer;
begin
  -- Apple writes its UUIDs in small letters; other stores' ids mean their case.
  select count(*), count(*) filter (where public.replay_store_notification(store, notification_id))
  into v_found, v_replayed
  from public.store_notifications
  where notification_id in (p_notification_id, lower(p_notification_id));
  if v_replayed = 0 then
    return case when v_found > 0 then 'erased' else 'not_found' end;
  end if;
  perform public.record_owner_action('notification_replay', p_target => p_notification_id);
  return 'replayed';
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/owner_replays_notification.sql', 'd8351abf530f4b8b376ba033bb6301b8bab97aaed8b754c3a268f69dd18d359b')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/product_of_admin.sql sha256:9e8cb4c7104990f6154590fa5cea1ff2b279df2ef664d31ffd3b86d9997c408d
-- A product as administrators see it: also while it is not on sale.
create or replace function public.product_of_admin(p_product public.products) returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'product_id', p_product.product_id,
    'display_name', p_product.display_name,
    'credits', p_product.credits,
    'bonus_credits', p_product.bonus_credits,
    'web_price_cents', p_product.web_price_cents,
    'web_currency', p_product.web_currency,
    'is_active', p_product.is_active,
    'created_at', public.iso_time(p_product.created_at),
    'updated_at', public.iso_time(p_product.updated_at)
  )
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/product_of_admin.sql', '9e8cb4c7104990f6154590fa5cea1ff2b279df2ef664d31ffd3b86d9997c408d')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/record_owner_action.sql sha256:f942f6d3d9817035b03135d02ba8f68aa8f7977344e443ad7d6d2a35689e077c
-- Records what was done on the command line with an administrator, or with what `p_target` names. No administrator has done it.
create or replace function public.record_owner_action(
  p_action_type text,
  p_user_id uuid default null,
  p_target text default null
) returns void
language sql
security definer
set search_path = ''
as $$
  insert into public.admin_actions (action_type, target_user_id, target, reason)
  values (p_action_type, p_user_id, p_target, 'On the command line.')
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/record_owner_action.sql', 'f942f6d3d9817035b03135d02ba8f68aa8f7977344e443ad7d6d2a35689e077c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/revoke_administrator.sql sha256:973aab736e8c0d1557e98fbeaafc4256e9cbfe277ae3e8865de5802e9390904c
-- Ends an administrator's rights, with all links and sessions, at once. Returns whether there is such an administrator; a repeat
-- changes nothing. The owner's alone.
-- @owner
create or replace function public.revoke_administrator(p_email text) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id uuid;
  v_revoked_at timestamptz;
begin
  select user_id, revoked_at into v_id, v_revoked_at
  from public.administrators
  where email = lower(btrim(p_email))
  for update;
  if not found then
    return false;
  elsif v_revoked_at is not null then
    return true;
  end if;
  update public.administrators set revoked_at = clock_timestamp() where user_id = v_id;
  update public.users set is_admin = false, updated_at = now() where id = v_id;
  perform public.record_owner_action('administrator_revoke', v_id);
  update public.admin_sessions set ended_at = clock_timestamp() where admin_user_id = v_id and ended_at is null;
  update public.admin_links set used_at = clock_timestamp() where admin_user_id = v_id and used_at is null;
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/revoke_administrator.sql', '973aab736e8c0d1557e98fbeaafc4256e9cbfe277ae3e8865de5802e9390904c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/seconds_of.sql sha256:d5a0a992f1e005f6081a91f904261f1b26636687e7879b7b604d86e6ebc5578c
-- How long videos took: half of them at most p50 seconds, 95 of a hundred at most p95. `p_durations`: {tenths of a second: jobs}.
create or replace function public.seconds_of(p_durations jsonb) returns jsonb
language sql
immutable
set search_path = ''
as $$
  select jsonb_build_object(
    'p50', min(c.tenths) filter (where c.up_to >= ceil(0.5 * c.total)) / 10.0,
    'p95', min(c.tenths) filter (where c.up_to >= ceil(0.95 * c.total)) / 10.0
  )
  from (
    select
      d.key::integer as tenths,
      sum(d.value::numeric) over (order by d.key::integer) as up_to,
      sum(d.value::numeric) over () as total
    from jsonb_each_text(p_durations) d
  ) c
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/seconds_of.sql', 'd5a0a992f1e005f6081a91f904261f1b26636687e7879b7b604d86e6ebc5578c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/admin/uncounted_figures.sql sha256:f13806a9b656e8237c99858799f3af9fc58ef3e9a0cc87ef4da5444fba1889db
-- The figures, as in day_figures, of the rows behind what is counted, up to these bounds. A ledger row counts on the day it was
-- written, a job on the day it ended, and what a vendor says it cost on the day the vendor ended it. Revenue is what purchases that
-- cost money brought, less refunds: a refund takes the share of the price that it takes of the credits. `offset 0` has the other table
-- looked up row by row: the planner takes a few rows for thousands, and would read it whole.
create or replace function public.uncounted_figures(
  p_ledger_seq bigint,
  p_error_id bigint,
  p_jobs_at timestamptz,
  p_attempts_at timestamptz
) returns table (day date, figure text, subject text, amount numeric)
language plpgsql
rows 200
stable
security definer
set search_path = ''
-- Compiling the statement would take longer than running it.
set jit = off
as $$
#variable_conflict use_column
begin
  return query
  with progress as (
    select * from public.day_progress
  ), ledger as materialized (
    select
      (q.created_at at time zone 'utc')::date as day, q.reason, q.change, upper(p.currency) as currency,
      p.price_milliunits / 1000.0 * q.change / p.credits as revenue
    from public.quota_log q
    left join lateral (
      select *
      from public.purchases
      where id = q.purchase_id and credits > 0 and price_milliunits > 0 and environment in ('Production', 'live')
      offset 0
    ) p on true
    where q.seq > (select ledger_seq from progress) and q.seq <= p_ledger_seq
  ), jobs as materialized (
    select
      (j.completed_at at time zone 'utc')::date as day, j.status, j.model_id::text as model_id, j.credits_used,
      round(extract(epoch from j.completed_at - j.created_at) * 10)::integer::text as tenths
    from public.video_jobs j
    where j.completed_at > (select jobs_at from progress) and j.completed_at <= p_jobs_at
  )
  select l.day, case when l.change > 0 then 'credits_in' else 'credits_out' end, l.reason, sum(abs(l.change::bigint))
  from ledger l
  group by 1, 2, 3
  union all
  select l.day, f.figure, l.currency, sum(f.amount)
  from ledger l
  cross join lateral (values ('revenue', round(l.revenue, 6)), ('sold', l.change::numeric)) f (figure, amount)
  where l.currency is not null
  group by 1, 2, 3
  union all
  select j.day, j.model_id, j.status, count(*)
  from jobs j
  group by 1, 2, 3
  union all
  select j.day, j.model_id, 'credits', sum(j.credits_used::bigint)
  from jobs j
  where j.status = 'completed'
  group by 1, 2
  union all
  select j.day, 'duration', j.tenths, count(*)
  from jobs j
  where j.status = 'completed'
  group by 1, 3
  union all
  select (a.ended_at at time zone 'utc')::date, j.model_id::text, 'provider_cost', sum(a.vendor_cost_usd)
  from public.provider_attempts a
  cross join lateral (select model_id from public.video_jobs where job_id = a.job_id offset 0) j
  where a.ended_at > (select attempts_at from progress) and a.ended_at <= p_attempts_at and a.vendor_cost_usd is not null
  group by 1, 2
  union all
  select (e.created_at at time zone 'utc')::date, 'errors', e.error_code, count(*)
  from public.error_log e
  where e.id > (select error_id from progress) and e.id <= p_error_id
  group by 1, 3;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/admin/uncounted_figures.sql', 'f13806a9b656e8237c99858799f3af9fc58ef3e9a0cc87ef4da5444fba1889db')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/alerts/raise_alert.sql sha256:48710cf9bd6804510ed051939e939697b7d4e472799decbfb0f19c399d4e31f0
-- Records an alert and has the worker send it, once for each cause (`p_kind` and `p_subject`) and hour. Returns whether it is the
-- first of the hour. `p_details` holds ids and numbers alone: they leave this server.
create or replace function public.raise_alert(p_kind text, p_subject text default '', p_details jsonb default '{}') returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_hour timestamptz := date_trunc('hour', clock_timestamp(), 'UTC');
  v_id uuid;
begin
  insert into public.alerts (kind, subject, hour, details)
  values (p_kind, p_subject, v_hour, p_details)
  on conflict (kind, subject, hour) do nothing
  returning id into v_id;
  if v_id is null then
    return false;
  end if;
  -- Before all other tasks: an alert may be about a queue that is long. With the queue's growing waits, ten attempts last for hours.
  perform graphile_worker.add_job(
    'send_alert',
    json_build_object('alert_id', v_id),
    max_attempts := 10,
    job_key := 'alert:' || p_kind || ':' || p_subject || ':' || extract(epoch from v_hour)::bigint,
    priority := -10
  );
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/alerts/raise_alert.sql', '48710cf9bd6804510ed051939e939697b7d4e472799decbfb0f19c399d4e31f0')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/count_credits.sql sha256:f8c12c06f362b0b4a57cd7a1ab9691d67cea9fc0bbcca591b3a62b01ea7a8ef4
-- Adds the ledger rows up to `p_until` to the totals that metrics show, each row once. The caller holds the lock of audit_progress,
-- and every transaction that could still add a row up to there has ended.
create or replace function public.count_credits(p_until bigint) returns void
language sql
security definer
set search_path = ''
as $$
  with rows_due as (
    select reason, change, balance_after
    from public.quota_log
    where seq > (select counted_seq from public.audit_progress) and seq <= p_until
  ), due as (
    select
      reason,
      sum(abs(change::bigint)) as credits,
      sum(greatest(balance_after, 0)::bigint - greatest(balance_after::bigint - change, 0)) as outstanding
    from rows_due
    group by reason
  ), added as (
    insert into public.credit_totals as t (reason, credits)
    select reason, credits
    from due
    on conflict (reason) do update set credits = t.credits + excluded.credits
  ), moved as (
    select up_to, sum(accounts) as accounts
    from (
      select (select min(up_to) from public.balance_totals where up_to >= balance_after) as up_to, 1 as accounts
      from rows_due
      union all
      select (select min(up_to) from public.balance_totals where up_to >= balance_after - change), -1
      from rows_due
    ) both_sides
    group by up_to
    having sum(accounts) <> 0
  ), rebalanced as (
    update public.balance_totals t
    set accounts = t.accounts + m.accounts
    from moved m
    where m.up_to = t.up_to
  )
  update public.audit_progress
  set counted_seq = greatest(counted_seq, p_until),
      credits_outstanding = credits_outstanding + coalesce((select sum(outstanding) from due), 0)
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/count_credits.sql', 'f8c12c06f362b0b4a57cd7a1ab9691d67cea9fc0bbcca591b3a62b01ea7a8ef4')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/apply_credits.sql sha256:d31ad5def900d2699f89970ce3a4d7455905d09984a6425470304ffc55c3e01c
-- The only procedure that writes users.credits_remaining and quota_log: one ledger row, the balance that follows from it, the lots
-- that pay or receive it, an event, and an outgoing webhook. (move_balance carries users.credits_total over.) Returns the balance, after the expiry of
-- what came back to an expired lot. Null: p_transaction_id was used before. The caller holds the user's row lock and has checked
-- the amount.
create or replace function public.apply_credits(
  p_user_id uuid,
  p_change integer,
  p_reason text,
  p_job_id uuid,
  p_transaction_id text,
  p_purchase_id uuid default null,
  p_expires_at timestamptz default null
) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id uuid;
  v_seq bigint;
  v_balance integer;
  v_is_living boolean;
begin
  insert into public.quota_log (user_id, job_id, change, reason, transaction_id, balance_after, purchase_id)
  select p_user_id, p_job_id, p_change, p_reason, p_transaction_id, u.credits_remaining + p_change, p_purchase_id
  from public.users u
  where u.id = p_user_id
  on conflict (transaction_id) do nothing
  returning id, seq, balance_after into v_id, v_seq, v_balance;
  if not found then
    return null;
  end if;

  update public.users
  set credits_remaining = v_balance,
      -- Lifetime earned: grants and purchases, never refunds or corrections.
      credits_total = credits_total + case
        when p_reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed') then p_change
        else 0
      end,
      updated_at = now()
  where id = p_user_id
  returning deleted_at is null into v_is_living;

  if v_is_living then
    perform public.emit_event(
      p_user_id,
      'credits',
      p_job_id,
      -- The ledger row's id, by which an app recognises the same row in the history.
      jsonb_build_object('credits_remaining', v_balance, 'change', p_change, 'reason', p_reason, 'transaction_id', v_id)
    );
  end if;

  -- Asked here too: on a server without a receiver, to make the event would cost most of it.
  if (select sends_webhooks from public.settings) then
    perform public.schedule_webhook(
      p_user_id,
      'credits.changed',
      jsonb_build_object(
        'user_id', p_user_id, 'credits_remaining', v_balance, 'change', p_change, 'reason', p_reason, 'seq', v_seq,
        'ledger_id', v_id, 'job_id', p_job_id, 'purchase_id', p_purchase_id
      )
    );
  end if;

  if p_reason = 'account_merge' then
    -- Lots change their owner instead: move_balance.
    return v_balance;
  end if;
  if p_change < 0 then
    -- What is more than the balance becomes a debt, which no lot holds.
    perform public.take_from_lots(
      p_user_id, least(-p_change, greatest(v_balance - p_change, 0)), v_id, p_job_id, p_purchase_id
    );
    return v_balance;
  end if;
  perform public.give_to_lots(p_user_id, p_change, p_reason, v_id, p_job_id, p_purchase_id, p_expires_at);
  -- A debt is repaid before anything can be spent.
  perform public.take_from_lots(p_user_id, least(p_change, greatest(p_change - v_balance, 0)), v_id);
  return v_balance - public.expire_lots(p_user_id);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/apply_credits.sql', 'd31ad5def900d2699f89970ce3a4d7455905d09984a6425470304ffc55c3e01c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/begin_attempt.sql sha256:77da1c1b9623d1ae2ee70b61c7a9f0ac810b8197bbfed5b87b2e63460881eb38
-- Claims the right to send a job to its provider. `claimed`: nothing was sent before. `resumed`: a worker died during this
-- attempt, the request may have been sent. `attempt` counts from 1.
-- @returns {outcome: 'claimed' | 'resumed', attempt_id: string, attempt: number}
--   | {outcome: 'unknown' | 'declined' | 'submitted' | 'final' | 'not_found'}
create or replace function public.begin_attempt(p_job_id uuid) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs := public.lock_job(p_job_id);
  v_attempt public.provider_attempts;
begin
  if v_job.job_id is null then
    return jsonb_build_object('outcome', 'not_found');
  elsif v_job.completed_at is not null then
    return jsonb_build_object('outcome', 'final');
  elsif v_job.status = 'processing' then
    return jsonb_build_object('outcome', 'submitted');
  end if;

  select * into v_attempt
  from public.provider_attempts
  where job_id = p_job_id
  order by attempt desc
  limit 1
  for update;
  if v_attempt.state = 'submitting' then
    return jsonb_build_object('outcome', 'resumed', 'attempt_id', v_attempt.id, 'attempt', v_attempt.attempt);
  elsif v_attempt.state in ('unknown', 'declined') then
    return jsonb_build_object('outcome', v_attempt.state);
  end if;

  insert into public.provider_attempts (job_id, user_id, attempt, provider, provider_model_id)
  values (p_job_id, v_job.user_id, coalesce(v_attempt.attempt, 0) + 1, v_job.provider, v_job.provider_model_id)
  returning * into v_attempt;
  return jsonb_build_object('outcome', 'claimed', 'attempt_id', v_attempt.id, 'attempt', v_attempt.attempt);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/begin_attempt.sql', '77da1c1b9623d1ae2ee70b61c7a9f0ac810b8197bbfed5b87b2e63460881eb38')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/begin_generation.sql sha256:d7533fe337e5a2a48806ef41c3675cc96b3010ecd5ab5d2850d369a52098666e
-- Charges for one generation and starts it: replay, limits, price, charge, job, queue task, event and the idempotency record
-- are one transaction.
-- @returns {
--     outcome: 'created', status_code: number, response: Json, limit: number, remaining: number, reset_seconds: number
--   }
--   | {outcome: 'replayed', status_code: number, response: Json}
--   | {outcome: 'key_reused' | 'user_not_found' | 'banned' | 'paused' | 'model_unavailable'}
--   | {outcome: 'provider_unavailable', retry_seconds: number}
--   | {outcome: 'rate_limited', scope: 'in_flight', limit: number}
--   | {
--     outcome: 'rate_limited', scope: 'account' | 'address' | 'spending', limit: number, window_seconds: number, remaining: number,
--     reset_seconds: number, allowed: boolean
--   }
--   | {outcome: 'insufficient_credits', required: number, available: number}
create or replace function public.begin_generation(
  p_user_id uuid,
  p_idempotency_key uuid,
  p_request_hash text,
  p_model_id uuid,
  p_prompt text,
  p_settings jsonb,
  p_limit_account integer,
  p_limit_address integer,
  p_limit_in_flight integer,
  p_deadline_seconds integer,
  p_image_url text default null,
  p_address inet default null,
  p_request_id text default null,
  p_limit_spending integer default null,
  p_trace_parent text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
  v_model public.models;
  v_earlier jsonb;
  v_account_state jsonb;
  v_address_state jsonb;
  v_spending_state jsonb;
  v_price integer;
  v_retry_seconds integer;
  v_job_id uuid := gen_random_uuid();
  v_charge jsonb;
  v_response jsonb;
begin
  v_user := public.lock_account(p_user_id);
  if v_user.id is null then
    return jsonb_build_object('outcome', 'user_not_found');
  end if;
  p_user_id := v_user.id;
  if exists (select from public.user_bans where user_id = p_user_id) then
    return jsonb_build_object('outcome', 'banned');
  end if;
  v_earlier := public.find_response(p_user_id, p_idempotency_key, 'generate_video', p_request_hash);
  if v_earlier is not null then
    return v_earlier;
  end if;

  if (select is_paused from public.settings) then
    return jsonb_build_object('outcome', 'paused');
  end if;

  select * into v_model from public.models where id = p_model_id and is_available;
  if not found then
    return jsonb_build_object('outcome', 'model_unavailable');
  end if;

  if (
    select coalesce(sum(jobs), 0)
    from public.job_counters
    where user_id = p_user_id and status in ('pending', 'processing')
  ) >= p_limit_in_flight then
    return jsonb_build_object('outcome', 'rate_limited', 'scope', 'in_flight', 'limit', p_limit_in_flight);
  end if;

  v_account_state := public.rate_limit_state('generations', p_user_id, null, p_limit_account, interval '1 hour');
  if not (v_account_state ->> 'allowed')::boolean then
    return jsonb_build_object('outcome', 'rate_limited', 'scope', 'account') || v_account_state;
  end if;

  if p_address is not null then
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('generations ' || p_address::text, 0));
    v_address_state := public.rate_limit_state('generations', null, p_address, p_limit_address, interval '1 hour');
    if not (v_address_state ->> 'allowed')::boolean then
      return jsonb_build_object('outcome', 'rate_limited', 'scope', 'address') || v_address_state;
    end if;
  end if;

  -- Before the price is compared with the balance: what has expired is not spent.
  v_user.credits_remaining := v_user.credits_remaining - public.expire_lots(p_user_id);
  v_price := public.generation_price(v_model, (p_settings ->> 'duration')::numeric);
  if v_price is null then
    raise exception 'no price without a duration' using errcode = 'invalid_parameter_value';
  end if;
  -- A user who cannot pay must not use up the one try of a provider whose circuit is open.
  if v_user.credits_remaining >= v_price then
    if p_limit_spending is not null then
      v_spending_state := public.spending_state(p_user_id, v_price, p_limit_spending);
      if not (v_spending_state ->> 'allowed')::boolean then
        return jsonb_build_object('outcome', 'rate_limited', 'scope', 'spending') || v_spending_state;
      end if;
    end if;
    v_retry_seconds := public.admit_to_provider(v_model.provider);
    if v_retry_seconds > 0 then
      return jsonb_build_object('outcome', 'provider_unavailable', 'retry_seconds', v_retry_seconds);
    end if;
  end if;
  v_charge := public.deduct_credits(p_user_id, v_price, 'video_generation', v_job_id);
  if not (v_charge ->> 'success')::boolean then
    return jsonb_build_object(
      'outcome', 'insufficient_credits', 'required', v_price, 'available', v_user.credits_remaining
    );
  end if;

  insert into public.video_jobs (
    job_id, user_id, model_id, model_name, provider, provider_model_id, prompt, settings, image_url, credits_used,
    deadline_at, media_path, request_id, trace_parent
  )
  values (
    v_job_id, p_user_id, v_model.id, v_model.name, v_model.provider, v_model.provider_model_id, p_prompt, p_settings,
    p_image_url, v_price, clock_timestamp() + make_interval(secs => p_deadline_seconds),
    p_user_id || '/' || to_char(now() at time zone 'utc', 'YYYY-MM') || '/' || v_job_id,
    p_request_id, p_trace_parent
  );

  v_response := jsonb_build_object('job_id', v_job_id, 'status', 'pending', 'credits_used', v_price);
  perform public.store_response(
    p_user_id, p_idempotency_key, 'generate_video', p_request_hash, v_response, v_job_id
  );
  insert into public.rate_limit_log (action, user_id, ip_address) values ('generations', p_user_id, p_address);
  perform public.emit_event(p_user_id, 'queued', v_job_id, '{}');
  perform public.enqueue('submit_generation', json_build_object('job_id', v_job_id), 'submit:' || v_job_id);

  return jsonb_build_object(
    'outcome', 'created',
    'status_code', 200,
    'response', v_response,
    'limit', p_limit_account,
    'remaining', (v_account_state ->> 'remaining')::integer - 1,
    'reset_seconds', (v_account_state ->> 'reset_seconds')::integer
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/begin_generation.sql', 'd7533fe337e5a2a48806ef41c3675cc96b3010ecd5ab5d2850d369a52098666e')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/delete_generation.sql sha256:f163b18899dcbf503f7034970abeedbf4831c99b3e94c7c5b0f20c8ce71bc466
-- Hides a finished job from its owner and schedules the deletion of its files. Repeating it succeeds.
-- @returns 'deleted' | 'running' | 'not_found'
create or replace function public.delete_generation(p_user_id uuid, p_job_id uuid) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs;
begin
  p_user_id := (public.lock_account(p_user_id)).id;
  select * into v_job from public.video_jobs where job_id = p_job_id and user_id = p_user_id for update;
  if not found then
    return 'not_found';
  elsif v_job.completed_at is null then
    return 'running';
  elsif v_job.deleted_at is null then
    update public.video_jobs set deleted_at = clock_timestamp() where job_id = p_job_id;
    delete from public.shares where job_id = p_job_id;
    perform public.schedule_cleanup(p_job_id);
  end if;
  return 'deleted';
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/delete_generation.sql', 'f163b18899dcbf503f7034970abeedbf4831c99b3e94c7c5b0f20c8ce71bc466')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/fail_generation.sql sha256:8e824b62a821ff7a0e7310ba39e3fd86e333be3ba729a25b6a5e52525d8fff40
-- pending | processing → failed, with the charge refunded, once. False: the job is already final. `p_reason` selects one of the
-- code's messages for the owner; `p_cause` is for operators.
create or replace function public.fail_generation(
  p_job_id uuid,
  p_error_code text,
  p_cause text default null,
  p_reason text default null
) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs := public.lock_job(p_job_id);
begin
  if v_job.job_id is null or v_job.status not in ('pending', 'processing') then
    return false;
  end if;
  update public.video_jobs
  set status = 'failed',
      error_code = p_error_code,
      error_reason = p_reason,
      queue_position = null,
      completed_at = clock_timestamp()
  where job_id = p_job_id and status in ('pending', 'processing');

  -- The refund is read from the charge, so they are equal; a unique index allows one refund per job.
  perform public.apply_credits(v_job.user_id, -q.change, 'generation_failed_refund', p_job_id, null)
  from public.quota_log q
  where q.job_id = p_job_id and q.reason = 'video_generation';

  perform public.emit_event(
    v_job.user_id,
    'failed',
    p_job_id,
    jsonb_strip_nulls(
      jsonb_build_object('error_code', p_error_code, 'reason', p_reason, 'refunded', v_job.credits_used)
    )
  );
  if p_error_code <> 'ERR_5004' then
    perform public.schedule_pushes(v_job.user_id, p_job_id, 'video_failed');
  end if;
  perform public.schedule_webhook(
    v_job.user_id,
    'video.failed',
    jsonb_build_object(
      'user_id', v_job.user_id, 'job_id', p_job_id, 'model_id', v_job.model_id, 'error_code', p_error_code,
      'credits_refunded', v_job.credits_used
    )
  );
  perform public.log_error(
    v_job.user_id,
    p_error_code,
    'generation',
    jsonb_build_object('job_id', p_job_id, 'provider', v_job.provider),
    jsonb_build_object('cause', p_cause, 'request_id', v_job.request_id)
  );
  perform public.schedule_cleanup(p_job_id);
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/fail_generation.sql', '8e824b62a821ff7a0e7310ba39e3fd86e333be3ba729a25b6a5e52525d8fff40')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/finish_generation.sql sha256:35a52f48b38e22f42372717776c8bd97146147de517b73e6e98a3067787173fc
-- processing → completed, once. False: the job is already final, and the caller deletes the file that it stored.
create or replace function public.finish_generation(
  p_job_id uuid,
  p_video_path text,
  p_video_bytes bigint,
  p_video_sha256 text,
  p_video_seconds numeric,
  p_thumbnail_path text default null
) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs := public.lock_job(p_job_id);
begin
  if v_job.status is distinct from 'processing' then
    return false;
  end if;
  update public.video_jobs
  set status = 'completed',
      progress = 100,
      queue_position = null,
      video_url = p_video_path,
      thumbnail_url = p_thumbnail_path,
      video_bytes = p_video_bytes,
      video_sha256 = p_video_sha256,
      video_seconds = p_video_seconds,
      completed_at = clock_timestamp()
  where job_id = p_job_id and status = 'processing';
  perform public.emit_event(v_job.user_id, 'completed', p_job_id, '{}');
  perform public.schedule_webhook(
    v_job.user_id,
    'video.completed',
    jsonb_build_object(
      'user_id', v_job.user_id, 'job_id', p_job_id, 'model_id', v_job.model_id, 'credits_used', v_job.credits_used,
      'video_path', 'videos/' || p_video_path, 'thumbnail_path', 'thumbnails/' || p_thumbnail_path,
      'video_seconds', p_video_seconds, 'video_bytes', p_video_bytes
    )
  );
  perform public.schedule_pushes(v_job.user_id, p_job_id, 'video_ready');
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/finish_generation.sql', '35a52f48b38e22f42372717776c8bd97146147de517b73e6e98a3067787173fc')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/record_provider_event.sql sha256:7ffc8bd591e68e7a3a3fe3737ca069b360cebba245b4b694b2b9174c175b2ca6
-- Records a verified event once, and schedules a poll or a confirmation of the job that it names. An event that names none of
-- our jobs leaves no row: a vendor signs the events of all its customers, and any of them can have events sent here.
-- `p_providers`: the providers that the sender may report about. Effects as in the table provider_events.
-- @returns {outcome: 'recorded', effect: 'woke' | 'unconfirmed' | 'ignored'} | {outcome: 'repeated' | 'foreign'}
create or replace function public.record_provider_event(
  p_sender text,
  p_event_key text,
  p_providers jsonb,
  p_job_id uuid default null,
  p_provider_job_id text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs;
  v_effect text := 'ignored';
begin
  select * into v_job
  from public.video_jobs
  where provider in (select jsonb_array_elements_text(p_providers)) and provider_job_id = p_provider_job_id;
  if not found and p_job_id is not null then
    -- Locked, so that a submit that is being stored at this moment is visible with its answer.
    v_job := public.lock_job(p_job_id);
    if not p_providers ? v_job.provider then
      v_job := null;
    end if;
  end if;
  if v_job.job_id is null then
    return jsonb_build_object('outcome', 'foreign');
  end if;

  if v_job.status = 'processing' and v_job.provider_job_id = p_provider_job_id then
    -- Once the video is made, a task is delivering it: a second task would fetch it twice.
    if not public.is_made(v_job.job_id) then
      v_effect := 'woke';
    end if;
  elsif p_provider_job_id is not null and exists (
    select from public.provider_attempts where job_id = v_job.job_id and state in ('submitting', 'unknown')
  ) then
    v_effect := 'unconfirmed';
  end if;

  insert into public.provider_events (sender, event_key, job_id, user_id, provider_job_id, effect)
  values (p_sender, p_event_key, v_job.job_id, v_job.user_id, p_provider_job_id, v_effect)
  on conflict (sender, event_key) do nothing;
  if not found then
    return jsonb_build_object('outcome', 'repeated');
  end if;
  if v_effect = 'woke' then
    perform public.schedule_poll(v_job.job_id, 0);
  elsif v_effect = 'unconfirmed' then
    perform public.schedule_confirmation(v_job.job_id, p_provider_job_id, 0);
  end if;
  return jsonb_build_object('outcome', 'recorded', 'effect', v_effect);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/record_provider_event.sql', '7ffc8bd591e68e7a3a3fe3737ca069b360cebba245b4b694b2b9174c175b2ca6')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/record_provider_outcome.sql sha256:f64478983aaf532db378fb92790c614cbdcd8d66e4ca151cf5dc71e4c86c9f9b
-- Updates a provider's circuit breaker with the outcome of a job: `turned_away` (its submit was not accepted), `unanswered` (its
-- outcome is unknown: not a failure, but many in a row are an outage), `failed` (accepted, but the provider made no video),
-- `accepted`, `completed`. Declined requests are not reported here: they say nothing about the provider's health.
-- Five distinct failed jobs in a row, or ten unanswered ones, open the circuit: no job is charged for the provider, except
-- for one every 30 seconds, until one succeeds. Null: the circuit has not changed.
-- @returns 'opened' | 'closed' | null
create or replace function public.record_provider_outcome(p_provider text, p_job_id uuid, p_outcome text) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_circuit public.provider_circuits;
  v_opens boolean;
begin
  if p_job_id is null
    or p_outcome is null
    or p_outcome not in ('turned_away', 'unanswered', 'failed', 'accepted', 'completed')
  then
    raise exception 'a job cannot have gone %', p_outcome using errcode = 'invalid_parameter_value';
  end if;
  if p_outcome in ('turned_away', 'unanswered', 'failed') then
    insert into public.provider_circuits (provider) values (p_provider) on conflict do nothing;
  end if;
  select * into v_circuit from public.provider_circuits where provider = p_provider for update;
  if not found then
    return null;
  end if;

  if p_outcome = 'completed' or (p_outcome = 'accepted' and v_circuit.failing_at = 'submit') then
    update public.provider_circuits
    set state = 'closed', failed_jobs = '{}', unanswered_jobs = '{}', failing_at = null, opened_at = null, probe_at = null
    where provider = p_provider and failing_at is not null;
    return case when v_circuit.state = 'open' then 'closed' end;
  elsif p_outcome = 'accepted' then
    -- Jobs failed after they were accepted, so an accepted job proves nothing yet.
    return null;
  end if;

  if v_circuit.state = 'closed' then
    if p_outcome = 'unanswered' then
      v_circuit.unanswered_jobs := array_remove(v_circuit.unanswered_jobs, p_job_id) || p_job_id;
    else
      v_circuit.failed_jobs := array_remove(v_circuit.failed_jobs, p_job_id) || p_job_id;
    end if;
  end if;
  v_opens := v_circuit.state = 'closed'
    and (cardinality(v_circuit.failed_jobs) >= 5 or cardinality(v_circuit.unanswered_jobs) >= 10);
  update public.provider_circuits
  set failed_jobs = v_circuit.failed_jobs,
      unanswered_jobs = v_circuit.unanswered_jobs,
      failing_at = case p_outcome when 'failed' then 'job' else 'submit' end,
      state = case when v_opens then 'open' else state end,
      opened_at = case when v_opens then clock_timestamp() else opened_at end,
      probe_at = case when v_opens then clock_timestamp() + interval '30 seconds' else probe_at end
  where provider = p_provider;
  if v_opens then
    perform public.raise_alert('provider_circuit', p_provider);
  end if;
  return case when v_opens then 'opened' end;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/record_provider_outcome.sql', 'f64478983aaf532db378fb92790c614cbdcd8d66e4ca151cf5dc71e4c86c9f9b')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/spending_state.sql sha256:d740bdf4b61a2d11a25de76a1c16e4f85e2d5804e033be86c8aac3016a0a58e2
-- Whether an account may spend `p_price` more credits within a day: what its generations of the last 24 hours cost, without those
-- that were refunded, and what its merged guests spent. Read from the newest ledger rows back, so it costs what the day's rows cost and
-- needs no index of its own. Called under the account's lock, which orders the ledger.
create or replace function public.spending_state(p_user_id uuid, p_price integer, p_limit integer) returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_start timestamptz := v_now - interval '1 day';
  v_rows integer := 32;
  v_is_cut boolean;
  v_credits integer[];
  v_times timestamptz[];
  v_spent integer;
  v_reset timestamptz;
begin
  loop
    select
      array_agg(-q.change) filter (where q.counts),
      array_agg(q.created_at) filter (where q.counts),
      -- The day may go on behind the last row that was read.
      bool_or(q.number = v_rows and q.created_at > v_start)
    into v_credits, v_times, v_is_cut
    from (
      select
        newest.*,
        newest.created_at > v_start and newest.reason = 'video_generation' and not exists (
          select from public.quota_log r where r.job_id = newest.job_id and r.reason = 'generation_failed_refund'
        ) as counts
      from unnest(public.ids_of_account(p_user_id)) as account(id)
      cross join lateral (
        select l.job_id, l.change, l.reason, l.created_at, row_number() over (order by l.seq desc) as number
        from public.quota_log l
        where l.user_id = account.id
        order by l.seq desc
        limit v_rows
      ) newest
    ) q;
    exit when v_is_cut is not true;
    v_rows := v_rows * 8;
  end loop;
  v_spent := coalesce((select sum(credits) from unnest(v_credits) as credits), 0);
  if v_spent + p_price > p_limit then
    -- There is room again once enough of what was spent first is a day old.
    select min(s.spent_at) + interval '1 day' into v_reset
    from (
      select spent_at, sum(credits) over (order by spent_at) as freed
      from unnest(v_credits, v_times) as charge(credits, spent_at)
    ) s
    where v_spent - s.freed + p_price <= p_limit;
  end if;
  return jsonb_build_object(
    'limit', p_limit,
    'window_seconds', 86400,
    'remaining', greatest(p_limit - v_spent, 0),
    'reset_seconds', greatest(1, ceil(extract(epoch from coalesce(v_reset, v_now + interval '1 day') - v_now)))::integer,
    'allowed', v_spent + p_price <= p_limit
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/spending_state.sql', 'd740bdf4b61a2d11a25de76a1c16e4f85e2d5804e033be86c8aac3016a0a58e2')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/limits/cleanup_rate_limit_logs.sql sha256:694c10c6eb6f046daf243b90ab441ad97b87c5cf0b2cc81a58e82e368b181ced
-- Deletes all rows older than 7 days, far more than the longest window of a limit, a thousand in one statement. Rows that another call
-- holds are left to the next time. Returns how many were deleted. For schedulers of the database: the server's own upkeep is prune_rows.
create or replace function public.cleanup_rate_limit_logs() returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_batch constant integer := 1000;
  v_count integer;
  v_sum integer := 0;
begin
  loop
    delete from public.rate_limit_log
    where id in (
      select id
      from public.rate_limit_log
      where created_at < now() - interval '7 days'
      order by created_at
      limit v_batch
      for update skip locked
    );
    get diagnostics v_count = row_count;
    v_sum := v_sum + v_count;
    exit when v_count < v_batch;
  end loop;
  return v_sum;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/limits/cleanup_rate_limit_logs.sql', '694c10c6eb6f046daf243b90ab441ad97b87c5cf0b2cc81a58e82e368b181ced')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/maintenance/empty_deleted_jobs.sql sha256:64058b139fa3c0f3bcbe00df01ef7b47969f481bbbd88eaf22086133bda61048
-- Empties the texts of up to `p_limit` jobs that were deleted more than 30 days ago, the oldest first. The rows stay: charges and
-- refunds name them. Returns how many, and from where to go on; null: it is done.
-- @returns {rows: number, next: string | null}
create or replace function public.empty_deleted_jobs(p_limit integer default 30, p_after timestamptz default null)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_jobs uuid[];
  v_next timestamptz;
begin
  select array_agg(job_id), max(deleted_at) into v_jobs, v_next
  from (
    select job_id, deleted_at
    from public.video_jobs
    where deleted_at < now() - interval '30 days'
      and deleted_at >= coalesce(p_after, '-infinity')
      and prompt <> '[deleted]'
    order by deleted_at
    limit p_limit
    for update skip locked
  ) old;
  update public.video_jobs
  set prompt = '[deleted]', image_url = null, error_message = null
  where job_id = any (v_jobs);
  -- A vendor's message may quote the prompt.
  update public.provider_attempts
  set error = null, result_error = null
  where job_id = any (v_jobs) and (error is not null or result_error is not null);
  delete from public.shares where job_id = any (v_jobs);
  return jsonb_build_object(
    'rows', coalesce(cardinality(v_jobs), 0),
    'next', case when cardinality(v_jobs) >= p_limit then v_next end
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/maintenance/empty_deleted_jobs.sql', '64058b139fa3c0f3bcbe00df01ef7b47969f481bbbd88eaf22086133bda61048')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/maintenance/log_errors.sql sha256:7f983acbfb8feb77d19c7324e435f0fbbd6f08f1e9f383728f3275a5c5c146d5
-- Stores what a server has collected about failed requests, in one batch. `p_entries`: [{entry_id, user_id, error_code, endpoint,
-- request_data, error_details, created_at}], already redacted. A repeated entry adds nothing. An account that is gone is not named:
-- its row is locked first, in the order of ids, so that a deletion either finds the new row or has happened before. Waits for accounts
-- that other calls hold, but not for long: the server sends the batch again. Returns how many rows were added.
create or replace function public.log_errors(p_entries jsonb) returns integer
language plpgsql
security definer
set search_path = ''
set lock_timeout = '2s'
as $$
declare
  v_users uuid[];
  v_count integer;
begin
  select array_agg(locked.id) into v_users
  from (
    select u.id
    from public.users u
    where u.deleted_at is null and u.id in (
      select public.survivor_of(e.user_id) from jsonb_to_recordset(p_entries) as e(user_id uuid) where e.user_id is not null
    )
    order by u.id
    for key share
  ) locked;
  insert into public.error_log (entry_id, user_id, error_code, endpoint, request_data, error_details, created_at)
  select
    e.entry_id,
    (select u from unnest(v_users) as u where u = public.survivor_of(e.user_id)),
    left(e.error_code, 50),
    left(e.endpoint, 200),
    e.request_data,
    e.error_details,
    e.created_at
  from jsonb_to_recordset(p_entries) as e(
    entry_id uuid, user_id uuid, error_code text, endpoint text, request_data jsonb, error_details jsonb, created_at timestamptz
  )
  on conflict do nothing;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/maintenance/log_errors.sql', '7f983acbfb8feb77d19c7324e435f0fbbd6f08f1e9f383728f3275a5c5c146d5')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/maintenance/prune_rows.sql sha256:291d144c1cf7a5febba0631246080d697b28d1f40c38c7b986704d8e66343f65
-- Removes up to `p_limit` rows of one of the `retentions`, the oldest first. Returns how many, and from where to go on; null: it is
-- done. Going on from there passes over the dead rows of earlier calls, so that each call costs the same. Rows that another
-- call holds are left to the next run: a merge locks many of an account's, in an order of its own. Of rows that are changed a tenth of
-- `p_limit`: each is written anew, into every index of its table.
-- @returns {rows: number, next: string | null}
create or replace function public.prune_rows(
  p_kind text,
  p_limit integer default 300,
  p_after timestamptz default null,
  p_error_log_days integer default 90,
  p_job_archive_days integer default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_kept record;
  v_limit integer := p_limit;
  v_places tid[];
  v_next timestamptz;
  v_rows integer := 0;
begin
  select * into strict v_kept from public.retentions(p_error_log_days, p_job_archive_days) where kind = p_kind;
  if v_kept.keep is null then
    return jsonb_build_object('rows', 0, 'next', null);
  end if;
  if v_kept.change is not null then
    v_limit := greatest(1, p_limit / 10);
  end if;
  execute format(
    'select array_agg(place), max(age)
     from (
       select ctid as place, %1$I as age
       from public.%2$I
       where %1$I < now() - $1 and %1$I >= $2 and %3$s
       order by %1$I
       limit $3
       for update skip locked
     ) old',
    v_kept.age_column, v_kept.table_name, v_kept.condition
  )
  into v_places, v_next
  using v_kept.keep, coalesce(p_after, '-infinity'), v_limit;
  if v_places is not null then
    -- The rows are locked, so they are still where they were found.
    execute format(
      case when v_kept.change is null then 'delete from public.%1$I where ctid = any ($1)' else 'update public.%1$I set %2$s where ctid = any ($1)' end,
      v_kept.table_name, v_kept.change
    )
    using v_places;
    get diagnostics v_rows = row_count;
  end if;
  return jsonb_build_object(
    'rows', v_rows,
    'next', case when cardinality(v_places) >= v_limit then v_next end
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/maintenance/prune_rows.sql', '291d144c1cf7a5febba0631246080d697b28d1f40c38c7b986704d8e66343f65')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/maintenance/retention_kinds.sql sha256:cc6f53890e4c4daecb112a0d0c091c82ccd22c6fdb0ae98e486df569bd4de855
-- The kinds of rows that upkeep removes, in the order in which it does.
-- @returns string[]
create or replace function public.retention_kinds() returns jsonb
language sql
immutable
security definer
set search_path = ''
as $$
  select jsonb_agg(kind order by place)
  from public.retentions() with ordinality as r (kind, table_name, age_column, keep, condition, change, place)
$$;

insert into public.schema_history (name, hash) values ('procedures/maintenance/retention_kinds.sql', 'cc6f53890e4c4daecb112a0d0c091c82ccd22c6fdb0ae98e486df569bd4de855')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/maintenance/retentions.sql sha256:48e8469ce31ce6c629cbf86fc20d6126baff479ee045f57ceb6bcd53a0f1827d
-- How long rows are kept: one line for each kind. A table whose rows have a limited life gets a line here and an index on `age_column`
-- (and `condition`). Rows older than `keep` that meet `condition` are deleted or, with a `change`, changed so that they no longer
-- meet it. `keep` null: for ever. Ledger, lots, purchases, grants, accounts and unfinished jobs are in no line.
create or replace function public.retentions(
  p_error_log_days integer default 90,
  p_job_archive_days integer default null
) returns table (kind text, table_name text, age_column text, keep interval, condition text, change text)
language sql
immutable
set search_path = ''
as $$
  values
    -- The longest window of a limit is an hour.
    ('rate_limit_rows', 'rate_limit_log', 'created_at', interval '7 days', 'true', null),
    ('idempotency_keys', 'idempotency_log', 'expires_at', interval '0', 'true', null),
    -- A stream resumes after the last event it sent; after a day the app reads the list again instead.
    ('events', 'user_events', 'created_at', interval '1 day', 'true', null),
    -- As long as a session lives. The active token and its parent stay, whatever their age; before sessions, which then have few.
    (
      'refresh_tokens', 'refresh_tokens', 'created_at', interval '30 days',
      'generation < (select s.active_generation - 1 from public.sessions s where s.id = session_id)', null
    ),
    -- Kept for a month after the end, so that "session expired" and "no such session" remain two answers.
    ('sessions', 'sessions', 'expires_at', interval '30 days', 'true', null),
    ('admin_links', 'admin_links', 'expires_at', interval '1 day', 'true', null),
    ('admin_sessions', 'admin_sessions', 'expires_at', interval '1 day', 'true', null),
    ('errors', 'error_log', 'created_at', make_interval(days => p_error_log_days), 'true', null),
    -- Vendors resend an event for hours at most.
    ('provider_events', 'provider_events', 'created_at', interval '30 days', 'true', null),
    ('apple_notifications', 'apple_account_notifications', 'created_at', interval '90 days', 'true', null),
    -- An expired token is refused by its own date.
    ('identity_tokens', 'used_identity_tokens', 'expires_at', interval '1 day', 'true', null),
    ('alerts', 'alerts', 'created_at', interval '90 days', 'true', null),
    ('pushes', 'pushes', 'created_at', interval '30 days', 'true', null),
    ('webhook_deliveries', 'webhook_deliveries', 'created_at', interval '30 days', 'true', null),
    -- The row stays: it is why a purchase changed.
    (
      'notification_payloads', 'store_notifications', 'received_at', interval '180 days',
      'payload is not null and processed_at is not null', 'payload = null'
    ),
    -- What only operators read of old jobs: the causes of failures, and what vendors have said.
    (
      'job_causes', 'video_jobs', 'completed_at', make_interval(days => p_job_archive_days),
      'completed_at is not null and error_message is not null', 'error_message = null'
    ),
    (
      'attempt_errors', 'provider_attempts', 'created_at', make_interval(days => p_job_archive_days),
      '(error is not null or result_error is not null)', 'error = null, result_error = null'
    )
$$;

insert into public.schema_history (name, hash) values ('procedures/maintenance/retentions.sql', '48e8469ce31ce6c629cbf86fc20d6126baff479ee045f57ceb6bcd53a0f1827d')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/metrics/count_account.sql sha256:7d5d45971ce3e870bf8dfae53ed07f07dc7028121d48ee258d7b29121427a0bf
-- Counts accounts: one for each new row of a user, and one less for each guest that has become a part of another account.
create or replace function public.count_account() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.metric_entries (metric, amount)
  values ('accounts', case tg_table_name when 'users' then 1 else -1 end);
  return null;
end
$$;

create or replace trigger users_count_accounts
  after insert on public.users
  for each row
  when (not new.is_admin)
  execute function public.count_account();

create or replace trigger merged_users_count_accounts
  after insert on public.merged_users
  for each row execute function public.count_account();

insert into public.schema_history (name, hash) values ('procedures/metrics/count_account.sql', '7d5d45971ce3e870bf8dfae53ed07f07dc7028121d48ee258d7b29121427a0bf')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/metrics/count_generation.sql sha256:0d72f9c52f1810a2224c2cc6a248dcfff25a17bac28f0517bc65a893f4594ffc
-- Counts a generation that has ended, in its own transaction.
create or replace function public.count_generation() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.metric_entries (metric, labels, amount)
  values (
    'generations',
    jsonb_build_object('model', new.model_name, 'provider', new.provider, 'outcome', new.status),
    1
  );
  return null;
end
$$;

create or replace trigger video_jobs_count_outcome
  after update of status on public.video_jobs
  for each row
  when (old.status is distinct from new.status and new.status in ('completed', 'failed'))
  execute function public.count_generation();

insert into public.schema_history (name, hash) values ('procedures/metrics/count_generation.sql', '0d72f9c52f1810a2224c2cc6a248dcfff25a17bac28f0517bc65a893f4594ffc')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/metrics/count_paying_accounts.sql sha256:e795f9e2db9572ed05f46f182f8a214854b475c85c52eb6ea02494941ed3bc40
-- Counts accounts that have a purchase: those that now have their first, less those whose purchases have moved to another account.
create or replace function public.count_paying_accounts() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_change integer;
begin
  if tg_op = 'INSERT' then
    select count(*) into v_change
    from (select user_id, count(*) as added from new_rows where user_id is not null group by user_id) n
    where n.added = (select count(*) from (select from public.purchases p where p.user_id = n.user_id limit n.added + 1) has);
  else
    with moved as (
      select user_id, sum(amount) as amount
      from (
        select user_id, 1 as amount from new_rows
        union all
        select user_id, -1 from old_rows
      ) both_sides
      where user_id is not null
      group by user_id
      having sum(amount) <> 0
    ), counted as (
      select
        m.amount,
        (select count(*) from (select from public.purchases p where p.user_id = m.user_id limit abs(m.amount) + 1) has) as left_over
      from moved m
    )
    select coalesce(sum(case
      when amount > 0 and left_over = amount then 1
      when amount < 0 and left_over = 0 then -1
      else 0
    end), 0) into v_change
    from counted;
  end if;
  if v_change <> 0 then
    insert into public.metric_entries (metric, amount) values ('paying_accounts', v_change);
  end if;
  return null;
end
$$;

create or replace trigger purchases_count_accounts_of_new
  after insert on public.purchases
  referencing new table as new_rows
  for each statement execute function public.count_paying_accounts();

create or replace trigger purchases_count_accounts_of_changed
  after update on public.purchases
  referencing old table as old_rows new table as new_rows
  for each statement execute function public.count_paying_accounts();

insert into public.schema_history (name, hash) values ('procedures/metrics/count_paying_accounts.sql', 'e795f9e2db9572ed05f46f182f8a214854b475c85c52eb6ea02494941ed3bc40')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/metrics/total_metrics.sql sha256:9980b6ba95f125e841c21ef771741feec81a9f21df2ff846ebdb7d094985dad6
-- Moves up to `p_limit` entries into the totals, each once, in however many processes at the same time. Returns how many.
create or replace function public.total_metrics(p_limit integer default 1000) returns integer
language sql
security definer
set search_path = ''
as $$
  with due as (
    delete from public.metric_entries
    where id in (select id from public.metric_entries order by id limit p_limit for update skip locked)
    returning metric, labels, amount
  ), added as (
    insert into public.metric_totals as t (metric, labels, total)
    select metric, labels, sum(amount)
    from due
    group by metric, labels
    -- One order for all callers.
    order by metric, labels
    on conflict (metric, labels) do update set total = t.total + excluded.total
  )
  select count(*)::integer from due
$$;

insert into public.schema_history (name, hash) values ('procedures/metrics/total_metrics.sql', '9980b6ba95f125e841c21ef771741feec81a9f21df2ff846ebdb7d094985dad6')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/moderation/admin_handle_report.sql sha256:d3cd6066601d7d7e6d3216ad06fc9a654709e5313324290f3834b9b9526de199
-- Marks a report as handled, by an administrator's decision.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found'}
create or replace function public.admin_handle_report(p_by jsonb, p_report_id uuid, p_reason text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_handle_report');
  v_report public.reports;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  select * into v_report from public.reports where id = p_report_id for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  update public.reports set handled_at = clock_timestamp() where id = p_report_id and handled_at is null;
  return public.finish_admin_action(
    p_by, 'admin_handle_report', 'report_handle', p_reason,
    jsonb_build_object('user_id', v_report.user_id, 'job_id', v_report.job_id, 'target', p_report_id),
    jsonb_build_object('success', true)
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/moderation/admin_handle_report.sql', 'd3cd6066601d7d7e6d3216ad06fc9a654709e5313324290f3834b9b9526de199')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/moderation/find_share.sql sha256:f92f5a339530b63c2dea3792fa26c1947f2bd76649d6c17778a9e87615e708ee
-- The video that a link shows, while its owner may have it; no row: there is no such link any more. `prompt` is null unless the owner
-- shares it too.
create or replace function public.find_share(p_token text) returns table (
  job_id uuid,
  user_id uuid,
  model_name text,
  prompt text,
  video_url text,
  thumbnail_url text,
  completed_at timestamptz
)
language sql
stable
security definer
set search_path = ''
as $$
  select
    j.job_id, j.user_id, j.model_name, case when s.with_prompt then j.prompt end, j.video_url, j.thumbnail_url, j.completed_at
  from public.shares s
  join public.video_jobs j on j.job_id = s.job_id
  join public.users u on u.id = j.user_id
  where s.token = p_token
    and j.status = 'completed'
    and j.deleted_at is null
    and j.video_url is not null
    and u.deleted_at is null
    and not exists (select from public.user_bans b where b.user_id = j.user_id)
$$;

insert into public.schema_history (name, hash) values ('procedures/moderation/find_share.sql', 'f92f5a339530b63c2dea3792fa26c1947f2bd76649d6c17778a9e87615e708ee')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/moderation/report_video.sql sha256:ce102315a4ac5117b3e3856d1cba11383f0da7f85a4843c43def123b4c60ae58
-- Stores what an account reports about a video: one of its own, by the job's id, or a shared one, by the link's token. A report about the
-- same video by the same account changes nothing, and does not count. An account may make `p_limit` an hour.
-- @returns {outcome: 'reported', report_id: string, job_id: string} | {outcome: 'repeated' | 'not_found' | 'user_not_found'}
--   | {
--     outcome: 'rate_limited', limit: number, window_seconds: number, remaining: number, reset_seconds: number, allowed: boolean
--   }
create or replace function public.report_video(
  p_user_id uuid,
  p_reason text,
  p_limit integer,
  p_job_id uuid default null,
  p_share_token text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
  v_job_id uuid;
  v_owner_id uuid;
  v_state jsonb;
  v_report_id uuid;
begin
  if v_user_id is null then
    return jsonb_build_object('outcome', 'user_not_found');
  end if;
  if p_job_id is not null then
    select job_id into v_job_id
    from public.video_jobs
    where job_id = p_job_id and user_id = v_user_id and deleted_at is null;
  else
    select job_id into v_job_id from public.find_share(p_share_token);
  end if;
  -- Whose it is now: a merge that moves it waits for this report, which it then moves too.
  select user_id into v_owner_id from public.video_jobs where job_id = v_job_id and deleted_at is null for share;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  -- Reports of one account come one after the other, so that the insert meets no other.
  if exists (select from public.reports where job_id = v_job_id and reporter_user_id = v_user_id) then
    return jsonb_build_object('outcome', 'repeated');
  end if;
  v_state := public.rate_limit_state('reports', v_user_id, null, p_limit, interval '1 hour');
  if not (v_state ->> 'allowed')::boolean then
    return jsonb_build_object('outcome', 'rate_limited') || v_state;
  end if;
  insert into public.rate_limit_log (action, user_id) values ('reports', v_user_id);
  insert into public.reports (job_id, user_id, reporter_user_id, source, reason)
  values (v_job_id, v_owner_id, v_user_id, case when p_job_id is null then 'share' else 'owner' end, p_reason)
  returning id into v_report_id;
  return jsonb_build_object('outcome', 'reported', 'report_id', v_report_id, 'job_id', v_job_id);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/moderation/report_video.sql', 'ce102315a4ac5117b3e3856d1cba11383f0da7f85a4843c43def123b4c60ae58')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/moderation/share_video.sql sha256:48f9ad506e8308969edd85f6af62ab688ed6369f6e3dfa7f8e135030446ea85f
-- Gives a completed video a link: the one that it has already, or one with this token. `p_with_prompt`: whether the link's page shows
-- the prompt; a repeat changes it.
-- @returns {outcome: 'shared', token: string} | {outcome: 'not_found' | 'running' | 'no_video'}
create or replace function public.share_video(
  p_user_id uuid,
  p_job_id uuid,
  p_token text,
  p_with_prompt boolean default false
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
  v_job public.video_jobs;
  v_token text;
begin
  select * into v_job
  from public.video_jobs
  where job_id = p_job_id and user_id = v_user_id and deleted_at is null
  for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  elsif v_job.completed_at is null then
    return jsonb_build_object('outcome', 'running');
  elsif v_job.status <> 'completed' or v_job.video_url is null then
    return jsonb_build_object('outcome', 'no_video');
  end if;
  insert into public.shares as s (job_id, token, with_prompt)
  values (p_job_id, p_token, p_with_prompt)
  on conflict (job_id) do update set with_prompt = excluded.with_prompt
  returning s.token into v_token;
  return jsonb_build_object('outcome', 'shared', 'token', v_token);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/moderation/share_video.sql', '48f9ad506e8308969edd85f6af62ab688ed6369f6e3dfa7f8e135030446ea85f')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/moderation/unshare_video.sql sha256:68fd5bf4df4a45d82e57b079fc92a5588e38e9f0d7b3758228341c967aa582aa
-- Ends a video's link; one that ends is never given again. False: the account has no such video.
create or replace function public.unshare_video(p_user_id uuid, p_job_id uuid) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
begin
  perform from public.video_jobs where job_id = p_job_id and user_id = v_user_id and deleted_at is null for update;
  if not found then
    return false;
  end if;
  delete from public.shares where job_id = p_job_id;
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/moderation/unshare_video.sql', '68fd5bf4df4a45d82e57b079fc92a5588e38e9f0d7b3758228341c967aa582aa')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/notifications/finish_push.sql sha256:305d77b4d7479a2cfffbddf9e339f73052ef643ce5098c4249b3e56756b9d5ef
-- Records how a push fared. `token_gone`: the device's token is removed, unless it was registered again since: `p_gone_at` is since when
-- Apple knows it, and without that, `p_registered_at` names the registration that the push was sent to. `retry`: it is sent again after
-- `p_retry_ms`, or has failed if it is no news by then. Locks the token before the push, like every other procedure.
create or replace function public.finish_push(
  p_push_id uuid,
  p_outcome text,
  p_reason text default null,
  p_retry_ms integer default null,
  p_registered_at timestamptz default null,
  p_gone_at timestamptz default null
) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_retry_at timestamptz := clock_timestamp() + make_interval(secs => p_retry_ms / 1000.0);
  v_state text;
begin
  if p_outcome is null or p_outcome not in ('sent', 'failed', 'dropped', 'token_gone', 'retry') then
    raise exception 'a push cannot end as %', p_outcome using errcode = 'invalid_parameter_value';
  end if;
  if p_outcome = 'token_gone' then
    delete from public.push_tokens
    where id = (select token_id from public.pushes where id = p_push_id)
      and registered_at <= coalesce(p_gone_at, p_registered_at);
  end if;
  update public.pushes
  set state = case
        when p_outcome in ('sent', 'dropped') then p_outcome
        when p_outcome = 'retry' and v_retry_at < expires_at then 'pending'
        else 'failed'
      end,
      attempts = attempts + case when p_outcome = 'dropped' then 0 else 1 end,
      last_error = case when p_outcome <> 'sent' then left(p_reason, 200) end,
      sent_at = case when p_outcome = 'sent' then clock_timestamp() end
  where id = p_push_id and state = 'pending'
  returning state into v_state;
  if v_state = 'pending' then
    perform public.schedule_push(p_push_id, p_retry_ms);
  end if;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/notifications/finish_push.sql', '305d77b4d7479a2cfffbddf9e339f73052ef643ce5098c4249b3e56756b9d5ef')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/notifications/forget_push_token.sql sha256:76a1819de7255e9faa83789c1a41703494cf8e474d886337edc520754886b07d
-- Removes a push token of an account. One that is not there, or is another account's, changes nothing.
create or replace function public.forget_push_token(p_user_id uuid, p_token text) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
begin
  delete from public.push_tokens where token = p_token and user_id = v_user_id;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/notifications/forget_push_token.sql', '76a1819de7255e9faa83789c1a41703494cf8e474d886337edc520754886b07d')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/notifications/forget_tokens_of_session.sql sha256:c7b537a18871ad56e66e1e46e48eb4611990fcb21b06595337e3c1dde6bd4282
-- Removes the push tokens that a session has registered when it ends, however it ends: the next person who uses the phone does not
-- see the pushes of the one before.
create or replace function public.forget_tokens_of_session() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  delete from public.push_tokens where session_id = old.id;
  return null;
end
$$;

create or replace trigger sessions_forget_push_tokens
  after update of revoked_at on public.sessions
  for each row when (old.revoked_at is null and new.revoked_at is not null)
  execute function public.forget_tokens_of_session();
create or replace trigger sessions_removed_forget_push_tokens
  after delete on public.sessions
  for each row execute function public.forget_tokens_of_session();

insert into public.schema_history (name, hash) values ('procedures/notifications/forget_tokens_of_session.sql', 'c7b537a18871ad56e66e1e46e48eb4611990fcb21b06595337e3c1dde6bd4282')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/notifications/move_push_tokens.sql sha256:0c5506fedba03c4a59ec4d3361708f647120b0566e9b84cece86d2829fb25a5e
-- Gives the push tokens that one session of an account has registered to the session that takes its place on the same device. They
-- would otherwise go when the replaced session is signed out.
create or replace function public.move_push_tokens(p_user_id uuid, p_from_session_id uuid, p_to_session_id uuid) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
begin
  update public.push_tokens
  set session_id = p_to_session_id
  where session_id = p_from_session_id
    and user_id = v_user_id
    and exists (
      select from public.sessions where id = p_to_session_id and user_id = v_user_id and revoked_at is null
    );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/notifications/move_push_tokens.sql', '0c5506fedba03c4a59ec4d3361708f647120b0566e9b84cece86d2829fb25a5e')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/notifications/register_push_token.sql sha256:4dadf9382692d4891a5be13d2c0c0bceb944c60f6737ed3a2ed31ca8f3b73a04
-- Registers a device's push token for an account, also if another account had it: the device shows the pushes of one. Above twenty,
-- the account's oldest ones go. `signed_out`: the account or the session has ended meanwhile, so nothing was registered.
-- @returns 'registered' | 'signed_out'
create or replace function public.register_push_token(
  p_user_id uuid,
  p_token text,
  p_environment text,
  p_session_id uuid default null
) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
begin
  if v_user_id is null or (
    p_session_id is not null and not exists (
      select from public.sessions where id = p_session_id and user_id = v_user_id and revoked_at is null
    )
  ) then
    return 'signed_out';
  end if;
  insert into public.push_tokens (token, environment, user_id, session_id)
  values (p_token, p_environment, v_user_id, p_session_id)
  on conflict (token) do update
  set environment = excluded.environment,
      user_id = excluded.user_id,
      session_id = excluded.session_id,
      registered_at = excluded.registered_at;
  perform public.trim_push_tokens(v_user_id);
  return 'registered';
end
$$;

insert into public.schema_history (name, hash) values ('procedures/notifications/register_push_token.sql', '4dadf9382692d4891a5be13d2c0c0bceb944c60f6737ed3a2ed31ca8f3b73a04')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/notifications/replay_push.sql sha256:673f243050b12d7c21c8ad8cf3e06c7ab387d3757c18ed961772b47357b460e0
-- Sends a push once more, with the same id at Apple. False: there is none with this id. Whether it may still be sent is decided when it
-- is: an account that has lost the device, or the video, gets nothing.
create or replace function public.replay_push(p_push_id uuid) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.pushes
  set state = 'pending', last_error = null, sent_at = null, expires_at = clock_timestamp() + interval '1 day'
  where id = p_push_id;
  if not found then
    return false;
  end if;
  perform public.schedule_push(p_push_id);
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/notifications/replay_push.sql', '673f243050b12d7c21c8ad8cf3e06c7ab387d3757c18ed961772b47357b460e0')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/notifications/schedule_push.sql sha256:ecea5a60a0c37429a2d89d3673c71b563b014985b8e3a58edc1c08df74a0a522
-- Has the worker send a push. It records each failure of a send itself, so a task that fails is a fault on this side.
create or replace function public.schedule_push(p_push_id uuid, p_delay_ms integer default 0) returns void
language sql
security definer
set search_path = ''
as $$
  select public.enqueue('send_push', json_build_object('push_id', p_push_id), 'push:' || p_push_id, p_delay_ms, 25)
$$;

insert into public.schema_history (name, hash) values ('procedures/notifications/schedule_push.sql', 'ecea5a60a0c37429a2d89d3673c71b563b014985b8e3a58edc1c08df74a0a522')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/notifications/schedule_pushes.sql sha256:9fd95346fa32efd3414adca9375a7250d83f56bc4b32d1de59e5ed14dc6e7387
-- Schedules a push about a job to each device of its owner, once for each kind and device; nothing for an account without devices, or
-- one that is banned. A push that could not be delivered for a day is no news any more.
create or replace function public.schedule_pushes(p_user_id uuid, p_job_id uuid, p_kind text) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_push_id uuid;
begin
  for v_push_id in
    insert into public.pushes (user_id, job_id, token_id, kind, expires_at)
    select p_user_id, p_job_id, t.id, p_kind, clock_timestamp() + interval '1 day'
    from public.push_tokens t
    where t.user_id = p_user_id and not exists (select from public.user_bans b where b.user_id = p_user_id)
    order by t.id
    on conflict (job_id, kind, token_id) do nothing
    returning id
  loop
    perform public.schedule_push(v_push_id);
  end loop;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/notifications/schedule_pushes.sql', '9fd95346fa32efd3414adca9375a7250d83f56bc4b32d1de59e5ed14dc6e7387')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/notifications/trim_push_tokens.sql sha256:ddcb78ad999c40d8b6933a71cd5b4d2eaf69f8377c86f32cc1ee65e13d5deafd
-- Removes all but the twenty push tokens of an account that were registered last: far more than a person has devices. One that another
-- call holds is being moved or removed.
create or replace function public.trim_push_tokens(p_user_id uuid) returns void
language sql
security definer
set search_path = ''
as $$
  delete from public.push_tokens
  where id in (
    select id
    from public.push_tokens
    where user_id = p_user_id
    order by registered_at desc, id
    offset 20
    for update skip locked
  )
$$;

insert into public.schema_history (name, hash) values ('procedures/notifications/trim_push_tokens.sql', 'ddcb78ad999c40d8b6933a71cd5b4d2eaf69f8377c86f32cc1ee65e13d5deafd')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/previous_version.sql sha256:f13574af453c3eab4d910e3eab229def8c9617d5bee9a9d1437f0150ace6204f
-- What servers of the previous version call while they run beside new ones. To be deleted with the next version.

-- That version updates a device once. The second bit that this returns makes the device one that has had its grant; an open
-- claim is not shown to that version, so only a newer server finishes it.
create or replace function public.claim_initial_grant(p_user_id uuid, p_bit1 boolean) returns boolean
language sql
security definer
set search_path = ''
as $$
  select case when public.claim_initial_grant(p_user_id) then false end
$$;

create or replace function public.complete_initial_grant(p_user_id uuid, p_amount integer) returns integer
language sql
security definer
set search_path = ''
as $$
  select public.complete_initial_grant(p_user_id)
$$;

create or replace function public.forget_upload(p_id uuid) returns boolean
language sql
security definer
set search_path = ''
as $$
  select public.forget_uploads(jsonb_build_array(p_id)) > 0
$$;

create or replace function public.note_provider_health(p_provider text, p_job_id uuid, p_fared text) returns text
language sql
security definer
set search_path = ''
as $$
  select public.record_provider_outcome(p_provider, p_job_id, case p_fared when 'refused' then 'turned_away' else p_fared end)
$$;

create or replace function public.prune_logs(p_limit integer default 1000) returns jsonb
language sql
security definer
set search_path = ''
as $$
  select jsonb_object_agg(kind, public.prune_rows(kind, p_limit) -> 'rows') from public.retentions() where keep is not null
$$;

create or replace function public.schedule_confirm(
  p_job_id uuid,
  p_provider_job_id text,
  p_delay_ms integer,
  p_look integer default 1
) returns void
language sql
security definer
set search_path = ''
as $$
  select public.schedule_confirmation(p_job_id, p_provider_job_id, p_delay_ms, p_look)
$$;

create or replace function public.schedule_settle(p_job_id uuid, p_delay_ms integer) returns void
language sql
security definer
set search_path = ''
as $$
  select public.schedule_poll(p_job_id, p_delay_ms)
$$;

create or replace function public.schedule_stop(p_job_id uuid, p_delay_ms integer) returns void
language sql
security definer
set search_path = ''
as $$
  select public.schedule_cleanup(p_job_id, p_delay_ms)
$$;

-- Procedures of that version call this one: a call may be waiting for the upgrade, with the old text of its procedure.
create or replace function public.stop_at_provider(p_job_id uuid) returns void
language sql
security definer
set search_path = ''
as $$
  select public.schedule_cleanup(p_job_id)
$$;

-- Calls that began before the upgrade still write rows of the previous version. This trigger completes them.
create or replace function public.complete_previous_rows() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if tg_table_name = 'uploads' then
    new.file := coalesce(
      new.file,
      'user_uploads/' || new.user_id || '/' || new.id || '.' || case new.content_type
        when 'image/jpeg' then 'jpg'
        when 'image/png' then 'png'
        else 'webp'
      end
    );
  elsif tg_table_name = 'video_jobs' then
    new.media_path := coalesce(
      new.media_path,
      new.user_id || '/' || to_char(new.created_at at time zone 'utc', 'YYYY-MM') || '/' || new.job_id
    );
  else
    new.state := case new.state when 'refused' then 'retryable' when 'rejected' then 'declined' else new.state end;
  end if;
  return new;
end
$$;
create or replace trigger uploads_complete_previous_rows
  before insert on public.uploads
  for each row execute function public.complete_previous_rows();
create or replace trigger video_jobs_complete_previous_rows
  before insert on public.video_jobs
  for each row execute function public.complete_previous_rows();
create or replace trigger provider_attempts_complete_previous_rows
  before update of state on public.provider_attempts
  for each row execute function public.complete_previous_rows();

-- Calls with named arguments reach the new functions as well.
drop function if exists public.begin_generation(
  uuid, uuid, text, uuid, text, jsonb, text, inet, integer, integer, integer, integer
);
drop function if exists public.begin_generation(
  uuid, uuid, text, uuid, text, jsonb, integer, integer, integer, integer, text, inet
);
drop function if exists public.begin_upload(
  uuid, text, text, integer, integer, integer, text, boolean, integer, bigint
);
drop function if exists public.onboard_device(text, text);
drop function if exists public.finish_generation(uuid, text, text, bigint, text, numeric);
drop function if exists public.broken_invariants();
drop function if exists public.prune_logs();
drop function if exists public.cancel_generation(uuid, uuid, uuid, text);

insert into public.schema_history (name, hash) values ('procedures/previous_version.sql', 'f13574af453c3eab4d910e3eab229def8c9617d5bee9a9d1437f0150ace6204f')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/purchases/credit_purchase.sql sha256:49103bd5f05d40ef186f3b5e24fda5a8929d0b7c9993368debe7303f19912da9
-- Credits a store's verified transaction to its owner, once for ever. `p_caller_id`: the account that asks; null: the store itself
-- told us. `p_token`: the account that the purchase names. The store's product says how many credits, times the quantity.
-- `foreign`: it belongs to another account, or names one that does not exist (any more). `no_owner`: nobody knows whose it is.
-- `refunded`: it was refunded before anybody was credited.
-- @returns {
--     outcome: 'credited', user_id: string, credits_added: number, credits_remaining: number, status_code: number, response: Json
--   }
--   | {outcome: 'repeated', credits_remaining: number}
--   | {outcome: 'replayed', status_code: number, response: Json}
--   | {outcome: 'foreign' | 'no_owner' | 'refunded' | 'unknown_product' | 'too_many' | 'user_not_found' | 'key_reused'}
create or replace function public.credit_purchase(
  p_store text,
  p_environment text,
  p_transaction_id text,
  p_product_id text,
  p_quantity integer,
  p_caller_id uuid default null,
  p_token uuid default null,
  p_purchased_at timestamptz default null,
  p_price_milliunits bigint default null,
  p_currency text default null,
  p_idempotency_key uuid default null,
  p_request_hash text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
  v_purchase public.purchases;
  v_owner_id uuid;
  v_credits bigint;
  v_balance integer;
  v_earlier jsonb;
  v_response jsonb;
begin
  if p_caller_id is null and p_token is null then
    return jsonb_build_object('outcome', 'no_owner');
  end if;
  perform public.lock_transaction(p_store, p_transaction_id);
  v_user := public.lock_account(coalesce(p_caller_id, p_token));
  if v_user.id is null then
    return jsonb_build_object('outcome', case when p_caller_id is null then 'foreign' else 'user_not_found' end);
  end if;
  v_earlier := public.find_response(v_user.id, p_idempotency_key, 'update_credits', p_request_hash);
  if v_earlier is not null then
    return v_earlier;
  end if;
  select * into v_purchase
  from public.purchases
  where store = p_store and transaction_id = p_transaction_id
  for update;
  -- In the ledger alone: given by add_credits, by an operator or by a version without purchases.
  v_owner_id := coalesce(
    v_purchase.user_id,
    (select public.survivor_of(user_id) from public.quota_log where transaction_id = p_transaction_id)
  );
  if v_owner_id is not null then
    if v_owner_id <> v_user.id then
      return jsonb_build_object('outcome', 'foreign');
    end if;
    return jsonb_build_object('outcome', 'repeated', 'credits_remaining', v_user.credits_remaining);
  end if;
  if p_token is not null and public.survivor_of(p_token) <> v_user.id then
    return jsonb_build_object('outcome', 'foreign');
  end if;
  if v_purchase.is_refunded then
    return jsonb_build_object('outcome', 'refunded');
  end if;
  select (credits + bonus_credits)::bigint * p_quantity into v_credits
  from public.products
  where product_id = p_product_id;
  if v_credits is null then
    return jsonb_build_object('outcome', 'unknown_product');
  end if;
  -- Far below the largest integer, so that no balance can overflow.
  if greatest(v_user.credits_remaining, 0)::bigint + v_credits > 1000000000 then
    return jsonb_build_object('outcome', 'too_many');
  end if;

  insert into public.purchases (
    store, environment, transaction_id, user_id, product_id, quantity, credits, price_milliunits, currency, purchased_at
  )
  values (
    p_store, p_environment, p_transaction_id, v_user.id, p_product_id, p_quantity, v_credits, p_price_milliunits, p_currency,
    p_purchased_at
  )
  -- A row without a user: a refund that was reversed before anybody was credited.
  on conflict (store, transaction_id) do update
  set user_id = excluded.user_id,
      product_id = excluded.product_id,
      quantity = excluded.quantity,
      credits = excluded.credits,
      price_milliunits = excluded.price_milliunits,
      currency = excluded.currency,
      purchased_at = excluded.purchased_at
  returning * into v_purchase;
  -- What the store has told about it before it was known whose it is.
  update public.store_notifications
  set user_id = v_user.id
  where transaction_id = p_transaction_id and store = p_store and user_id is null;
  v_balance := public.apply_credits(
    v_user.id, v_credits::integer, 'iap_purchase', null, p_transaction_id, v_purchase.id
  );
  if v_balance is null then
    raise exception 'transaction % is in the ledger, but not among the purchases', p_transaction_id
      using errcode = 'unique_violation';
  end if;
  perform public.schedule_webhook(
    v_user.id,
    'purchase.completed',
    jsonb_build_object(
      'user_id', v_user.id, 'purchase_id', v_purchase.id, 'store', p_store, 'environment', p_environment,
      'transaction_id', p_transaction_id, 'product_id', p_product_id, 'quantity', p_quantity, 'credits', v_credits,
      'price_milliunits', p_price_milliunits, 'currency', p_currency
    )
  );
  v_response := jsonb_build_object(
    'success', true, 'credits_added', v_credits, 'credits_remaining', v_balance, 'total_credits', v_balance
  );
  if p_idempotency_key is not null then
    perform public.store_response(v_user.id, p_idempotency_key, 'update_credits', p_request_hash, v_response);
  end if;
  return jsonb_build_object(
    'outcome', 'credited', 'user_id', v_user.id, 'credits_added', v_credits, 'credits_remaining', v_balance,
    'status_code', 200, 'response', v_response
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/purchases/credit_purchase.sql', '49103bd5f05d40ef186f3b5e24fda5a8929d0b7c9993368debe7303f19912da9')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/purchases/finish_store_notification.sql sha256:9af0b7896649bbb97f6ee746fd4f14f02de76a747b3e5a06100613e32d290ded
-- Notes what has followed from a notification, and whose purchase it names.
create or replace function public.finish_store_notification(p_store text, p_notification_id text, p_outcome text) returns void
language sql
security definer
set search_path = ''
as $$
  update public.store_notifications n
  set outcome = p_outcome,
      processed_at = clock_timestamp(),
      user_id = coalesce(
        n.user_id,
        (select p.user_id from public.purchases p where p.store = n.store and p.transaction_id = n.transaction_id)
      )
  where n.store = p_store and n.notification_id = p_notification_id
$$;

insert into public.schema_history (name, hash) values ('procedures/purchases/finish_store_notification.sql', '9af0b7896649bbb97f6ee746fd4f14f02de76a747b3e5a06100613e32d290ded')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/purchases/refund_purchase.sql sha256:c81115ff46562205006672e72f3800846c915e786a2015783b0fc8616f598a09
-- Takes back what a store has refunded, or gives it back when the store has reversed its refund (`p_is_refund` = false). Of several
-- decisions about one transaction the newest (`p_decided_at`) counts, in whatever order they arrive. `p_percentage`: the refunded
-- share, in thousandths of a percent; null: all. `p_is_total`: it is the sum of what is refunded by now, so a smaller share than
-- before gives back the difference. A balance may become a debt. `not_credited`: nobody has been credited; after a refund nobody
-- will be.
-- @returns {outcome: 'taken_back' | 'given_back', user_id: string, credits: number, credits_remaining: number}
--   | {outcome: 'unchanged' | 'outdated' | 'not_credited'}
create or replace function public.refund_purchase(
  p_store text,
  p_environment text,
  p_transaction_id text,
  p_decided_at timestamptz,
  p_is_refund boolean,
  p_percentage integer default null,
  p_is_total boolean default false
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_owner_id uuid;
  v_purchase public.purchases;
  v_target integer;
  v_change integer;
  v_balance integer;
begin
  perform public.lock_transaction(p_store, p_transaction_id);
  -- The owner's row before the purchase's; a merge that was committed meanwhile has moved it.
  loop
    select user_id into v_owner_id from public.purchases where store = p_store and transaction_id = p_transaction_id;
    perform from public.users where id = v_owner_id for update;
    exit when not exists (
      select from public.purchases
      where store = p_store and transaction_id = p_transaction_id and user_id is distinct from v_owner_id
    );
  end loop;
  insert into public.purchases (store, environment, transaction_id)
  values (p_store, p_environment, p_transaction_id)
  on conflict (store, transaction_id) do nothing;
  select * into strict v_purchase
  from public.purchases
  where store = p_store and transaction_id = p_transaction_id
  for update;

  if v_purchase.refund_decided_at >= p_decided_at then
    return jsonb_build_object('outcome', 'outdated');
  end if;
  v_target := case
    when p_is_refund then floor(v_purchase.credits::numeric * least(greatest(coalesce(p_percentage, 100000), 0), 100000) / 100000)
    else 0
  end;
  v_change := v_purchase.taken_back - v_target;
  -- A further refund never gives back what an earlier one took.
  if p_is_refund and not p_is_total then
    v_change := least(v_change, 0);
  end if;
  update public.purchases
  set is_refunded = p_is_refund, refund_decided_at = p_decided_at, taken_back = taken_back - v_change
  where id = v_purchase.id;
  if v_purchase.user_id is null then
    return jsonb_build_object('outcome', 'not_credited');
  end if;
  if v_change = 0 then
    return jsonb_build_object('outcome', 'unchanged');
  end if;
  v_balance := public.apply_credits(
    v_purchase.user_id,
    v_change,
    case
      when p_store = 'apple' then case when v_change < 0 then 'apple_refund' else 'apple_refund_reversed' end
      else case when v_change < 0 then 'store_refund' else 'store_refund_reversed' end
    end,
    null,
    null,
    v_purchase.id
  );
  if v_change < 0 then
    perform public.schedule_webhook(
      v_purchase.user_id,
      'purchase.refunded',
      jsonb_build_object(
        'user_id', v_purchase.user_id, 'purchase_id', v_purchase.id, 'store', p_store, 'environment', v_purchase.environment,
        'transaction_id', p_transaction_id, 'product_id', v_purchase.product_id, 'credits', v_purchase.credits,
        'credits_taken_back', -v_change, 'credits_taken_back_total', v_target
      )
    );
  end if;
  return jsonb_build_object(
    'outcome', case when v_change < 0 then 'taken_back' else 'given_back' end,
    'user_id', v_purchase.user_id,
    'credits', abs(v_change),
    'credits_remaining', v_balance
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/purchases/refund_purchase.sql', 'c81115ff46562205006672e72f3800846c915e786a2015783b0fc8616f598a09')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/expire_videos.sql sha256:2818a1bb2c4343a352448d926806d719dedf989b64d52e6fff5629ca873408f9
-- Takes the files of up to `p_limit` videos that were completed more than `p_days` days ago from their jobs, the oldest first: video_url
-- and thumbnail_url become null, and a shared video is shared no more. Returns the paths that the files have in their buckets,
-- for the caller to delete them; what it does not delete, the search for files without a row does.
-- @returns {video: string, thumbnail: string | null}[]
create or replace function public.expire_videos(p_days integer, p_limit integer default 50) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_files jsonb;
begin
  with old as (
    select job_id, video_url, thumbnail_url
    from public.video_jobs
    where status = 'completed'
      and deleted_at is null
      and video_url is not null
      and completed_at < now() - make_interval(days => p_days)
    order by completed_at
    limit p_limit
    for update skip locked
  ), removed as (
    update public.video_jobs j
    set video_url = null, thumbnail_url = null, video_removed_at = clock_timestamp()
    from old
    where j.job_id = old.job_id
  ), unshared as (
    delete from public.shares s using old where s.job_id = old.job_id
  )
  select coalesce(jsonb_agg(jsonb_build_object('video', video_url, 'thumbnail', thumbnail_url)), '[]') into v_files from old;
  return v_files;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/expire_videos.sql', '2818a1bb2c4343a352448d926806d719dedf989b64d52e6fff5629ca873408f9')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/note_file_sweep.sql sha256:d308eb3c18c51fb378eca7922c5a65455729c22abc0a9a8c8a875de71f51a390
-- Notes how far the search for files without a row has come in a bucket; `p_after` null: it is through.
create or replace function public.note_file_sweep(p_bucket text, p_after text default null) returns void
language sql
security definer
set search_path = ''
as $$
  insert into public.file_sweeps (bucket, after_key, finished_at)
  values (p_bucket, p_after, case when p_after is null then clock_timestamp() end)
  on conflict (bucket) do update
  set after_key = excluded.after_key,
      finished_at = coalesce(excluded.finished_at, file_sweeps.finished_at)
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/note_file_sweep.sql', 'd308eb3c18c51fb378eca7922c5a65455729c22abc0a9a8c8a875de71f51a390')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/webhooks/claim_webhooks.sql sha256:a2a2f463bb3707d2dea0630ac9e2075167945113b014729436e90d0088f1bd36
-- Takes up to `p_limit` due deliveries, the one that is due the longest first. Each is due again after 30 seconds, twice as long as an
-- attempt may take, unless `record_webhook_attempt` says more: so a worker that dies loses none.
create or replace function public.claim_webhooks(p_limit integer)
returns table (id uuid, type text, payload jsonb, attempts integer, created_at timestamptz)
language sql
security definer
set search_path = ''
as $$
  with due as (
    select d.id
    from public.webhook_deliveries d
    where d.state = 'pending'
      and d.next_attempt_at <= now()
      and exists (
        select from public.settings s where s.sends_webhooks and coalesce(s.webhooks_held_until <= now(), true)
      )
    order by d.next_attempt_at
    limit p_limit
    for update of d skip locked
  )
  update public.webhook_deliveries d
  set next_attempt_at = clock_timestamp() + interval '30 seconds'
  from due
  where d.id = due.id
  returning d.id, d.type, d.payload, d.attempts, d.created_at
$$;

insert into public.schema_history (name, hash) values ('procedures/webhooks/claim_webhooks.sql', 'a2a2f463bb3707d2dea0630ac9e2075167945113b014729436e90d0088f1bd36')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/webhooks/record_webhook_attempt.sql sha256:426fefade29e15634cb3596b3b64f6b735e94d618c6da33a303178a6f19414b1
-- Records what an attempt has come to. `p_attempts`: how many there had been when it was claimed; `outdated`: another attempt or a replay
-- came in between. `p_status`: the receiver's; null: it gave none, for the reason `p_error`. After the last attempt the delivery
-- has failed, and an alert says so.
-- @returns 'delivered' | 'retried' | 'failed' | 'outdated'
create or replace function public.record_webhook_attempt(
  p_delivery_id uuid,
  p_attempts integer,
  p_status integer default null,
  p_error text default null,
  p_retry_after_seconds integer default null
) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
  -- In seconds, after each attempt that failed.
  c_waits constant integer[] := array[5, 300, 1800, 7200, 18000, 36000, 36000];
  v_delivery public.webhook_deliveries;
  v_wait double precision;
begin
  select * into v_delivery from public.webhook_deliveries where id = p_delivery_id for update;
  if v_delivery.state is distinct from 'pending' or v_delivery.attempts <> p_attempts then
    return 'outdated';
  end if;
  if p_status between 200 and 299 then
    update public.webhook_deliveries
    set state = 'delivered', attempts = attempts + 1, last_status = p_status, last_error = null,
        last_attempt_at = clock_timestamp(), next_attempt_at = null, delivered_at = clock_timestamp()
    where id = p_delivery_id;
    return 'delivered';
  end if;

  if p_status = 410 then
    update public.settings set webhooks_held_until = 'infinity';
    perform public.raise_alert('outgoing_webhook', 'gone', jsonb_build_object('delivery_id', p_delivery_id));
  elsif p_status = 429 and p_retry_after_seconds > 0 then
    -- It asks for fewer requests, not only for a later repeat of this one. For 5 minutes at most.
    update public.settings
    set webhooks_held_until = greatest(
      webhooks_held_until, clock_timestamp() + make_interval(secs => least(p_retry_after_seconds, 300))
    );
  end if;

  v_wait := c_waits[p_attempts + 1];
  if v_wait is not null then
    -- No receiver puts a delivery off for longer than 10 hours. With up to a tenth more, so that deliveries that failed together
    -- are not repeated together.
    v_wait := greatest(v_wait, least(coalesce(p_retry_after_seconds, 0), 36000)) * (1 + random() / 10);
  end if;
  update public.webhook_deliveries
  set state = case when v_wait is null then 'failed' else 'pending' end,
      attempts = attempts + 1,
      last_status = p_status,
      last_error = p_error,
      last_attempt_at = clock_timestamp(),
      next_attempt_at = clock_timestamp() + make_interval(secs => v_wait)
  where id = p_delivery_id;
  if v_wait is null then
    perform public.raise_alert(
      'outgoing_webhook',
      'failed',
      jsonb_strip_nulls(jsonb_build_object('delivery_id', p_delivery_id, 'type', v_delivery.type, 'status', p_status))
    );
    return 'failed';
  end if;
  perform public.enqueue('send_webhooks', '{}', 'webhook:' || p_delivery_id, ceil(v_wait * 1000)::integer);
  return 'retried';
end
$$;

insert into public.schema_history (name, hash) values ('procedures/webhooks/record_webhook_attempt.sql', '426fefade29e15634cb3596b3b64f6b735e94d618c6da33a303178a6f19414b1')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/webhooks/resume_webhooks.sql sha256:e278c5601aeb919e3bf649c110e9d96a246cac78d50ae0f0ea5e0c109e99d2af
-- Ends what holds outgoing webhooks back, and has the worker look for those that are due. The owner calls it at the start of a server.
-- @owner
create or replace function public.resume_webhooks() returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.settings set webhooks_held_until = null where webhooks_held_until is not null;
  perform public.enqueue('send_webhooks', '{}', null);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/webhooks/resume_webhooks.sql', 'e278c5601aeb919e3bf649c110e9d96a246cac78d50ae0f0ea5e0c109e99d2af')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/webhooks/schedule_webhook.sql sha256:8c48c64f8d0d5eeae9c31f9ab603e544118d562d44f02d62507fd0af6bf0f2fb
-- Records an event for the operator's own server and has the worker send it, in the transaction of what it tells of. Does nothing
-- unless a receiver is configured. `p_data` holds ids and numbers: it leaves this server.
create or replace function public.schedule_webhook(p_user_id uuid, p_type text, p_data jsonb) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  if not (select sends_webhooks from public.settings) then
    return;
  end if;
  insert into public.webhook_deliveries (user_id, type, payload) values (p_user_id, p_type, p_data);
  -- Without a key: transactions that add one task of a key wait for one another.
  perform public.enqueue('send_webhooks', '{}', null);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/webhooks/schedule_webhook.sql', '8c48c64f8d0d5eeae9c31f9ab603e544118d562d44f02d62507fd0af6bf0f2fb')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: grants-queue.sql sha256:344aa80109b0ede00a217bf3b5510e1d73177484fe3309b8b08ea8fc07b743e3
-- The worker runs as rendio_server, to which the queue's own migrations grant nothing. Without the policies below it would
-- see no jobs, and no error either.
grant usage on schema graphile_worker to rendio_server;
grant select, insert, update, delete on all tables in schema graphile_worker to rendio_server;
grant usage, select on all sequences in schema graphile_worker to rendio_server;
grant execute on all functions in schema graphile_worker to rendio_server;

do $$
declare
  v_table text;
begin
  for v_table in
    select c.relname
    from pg_catalog.pg_class c
    where c.relnamespace = 'graphile_worker'::regnamespace
      and c.relkind in ('r', 'p')
      and c.relrowsecurity
      and not exists (
        select from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polname = 'server_works'
      )
  loop
    execute format(
      'create policy server_works on graphile_worker.%I to rendio_server using (true) with check (true)', v_table
    );
  end loop;
end
$$;

insert into public.schema_history (name, hash) values ('grants-queue.sql', '344aa80109b0ede00a217bf3b5510e1d73177484fe3309b8b08ea8fc07b743e3')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: grants-hosted.sql sha256:e5564475de9cf31b1b1f84448c522b61ab96339f9e00d6b21342b9307471162b
-- For databases that Supabase hosts: access to media through its Storage, and what its Realtime sends. In other databases
-- these schemas do not exist, and this file does nothing.

-- Private buckets. Only the server, which is not bound by these policies, writes to them: it checks what an image is and how
-- much an account stores. It also limits the size of each file, so the buckets do not.
do $$
begin
  if to_regclass('storage.buckets') is null or to_regclass('storage.objects') is null then
    return;
  end if;

  insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
  values
    ('videos', 'videos', false, null, array['video/mp4', 'video/quicktime', 'video/webm']),
    ('thumbnails', 'thumbnails', false, null, array['image/jpeg', 'image/png', 'image/webp']),
    ('user_uploads', 'user_uploads', false, null, array['image/jpeg', 'image/png', 'image/webp'])
  on conflict (id) do update set
    public = excluded.public,
    file_size_limit = excluded.file_size_limit,
    allowed_mime_types = excluded.allowed_mime_types;

  -- The first folder of a path is its owner's id, or that of a guest who was merged into the owner. Policies are OR-ed; only the policies with these names are replaced.
  drop policy if exists rendio_people_read_their_media on storage.objects;
  create policy rendio_people_read_their_media on storage.objects
    for select to authenticated
    using (
      bucket_id in ('videos', 'thumbnails', 'user_uploads')
      and lower((storage.foldername(name))[1]) = any ((select public.current_user_folders())::text[])
    );

  -- Of earlier versions, whose uploads passed by the server.
  drop policy if exists rendio_people_add_their_uploads on storage.objects;
  drop policy if exists rendio_people_replace_their_uploads on storage.objects;

  drop policy if exists rendio_people_remove_their_uploads on storage.objects;
  create policy rendio_people_remove_their_uploads on storage.objects
    for delete to authenticated
    using (bucket_id = 'user_uploads' and lower((storage.foldername(name))[1]) = any ((select public.current_user_folders())::text[]));
end
$$;

-- Realtime sends the changes of a published table to the users who may read the row, by the policy people_read_their_jobs.
do $$
begin
  if exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime' and not puballtables)
    and not exists (
      select from pg_catalog.pg_publication_tables
      where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = 'video_jobs'
    )
  then
    alter publication supabase_realtime add table public.video_jobs;
  end if;
end
$$;

insert into public.schema_history (name, hash) values ('grants-hosted.sql', 'e5564475de9cf31b1b1f84448c522b61ab96339f9e00d6b21342b9307471162b')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: grants-policies.sql sha256:36eaad2e4fe6bd3f6129b15750791a6412f28383f65cae3622ab9ba3cbe58ae9
-- The row policies, created wherever they are missing: a dump that is restored before the roles exist loses them.
do $$
declare
  v_policy record;
begin
  for v_policy in
    select c.relname as table_name, 'server_reads' as name, 'rendio_server' as roles, 'true' as condition
    from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relrowsecurity
    union all
    values
      ('users', 'people_read_their_profile', 'authenticated', 'id = (select public.current_user_id()) and deleted_at is null'),
      ('video_jobs', 'people_read_their_jobs', 'authenticated', 'user_id = (select public.current_user_id()) and deleted_at is null'),
      ('quota_log', 'people_read_their_transactions', 'authenticated', 'user_id = (select public.current_user_id())'),
      ('models', 'everybody_reads_available_models', 'anon, authenticated', 'is_available')
  loop
    if not exists (
      select from pg_catalog.pg_policies
      where schemaname = 'public' and tablename = v_policy.table_name and policyname = v_policy.name
    ) then
      execute format(
        'create policy %I on public.%I for select to %s using (%s)', v_policy.name, v_policy.table_name, v_policy.roles,
        v_policy.condition
      );
    end if;
  end loop;
end
$$;

insert into public.schema_history (name, hash) values ('grants-policies.sql', '36eaad2e4fe6bd3f6129b15750791a6412f28383f65cae3622ab9ba3cbe58ae9')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: grants.sql sha256:355dc3cc779530396e223ab7e2a1887a543aac6c614c67d04ebb5a5b8e2002c6
-- Privileges. Applied again after every change in db/, so that it also revokes what is no longer granted.
-- rendio_server: the API and the worker. anon, authenticated: users, through PostgREST and Realtime. service_role: nothing here;
-- named because hosted databases grant everything to it (and to the other two) by default.

revoke all on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings, public.proven_devices,
  public.merged_users, public.apple_identities, public.used_identity_tokens, public.apple_tokens, public.apple_revocations,
  public.apple_account_notifications, public.user_metadata, public.products, public.purchases, public.store_notifications,
  public.codes, public.code_uses, public.credit_lots, public.lot_movements, public.money_checks, public.audit_progress,
  public.money_violations, public.alerts, public.credit_totals, public.administrators, public.admin_links,
  public.admin_sessions, public.metric_entries, public.metric_totals, public.balance_totals,
  public.webhook_deliveries, public.push_tokens, public.pushes, public.shares, public.reports, public.file_sweeps,
  public.day_figures, public.day_progress
from public, anon, authenticated, service_role, rendio_server;

revoke all on sequence
  public.video_jobs_seq_seq, public.quota_log_seq_seq, public.user_events_id_seq, public.rate_limit_log_id_seq,
  public.error_log_id_seq, public.admin_actions_id_seq, public.provider_events_id_seq, public.purchases_seq_seq,
  public.store_notifications_seq_seq, public.codes_seq_seq, public.credit_lots_seq_seq, public.lot_movements_id_seq,
  public.metric_entries_id_seq, public.webhook_deliveries_seq_seq, public.reports_seq_seq
from public, anon, authenticated, service_role, rendio_server;

-- All our functions. Those that are not granted again below are called only by other procedures, such as add_credits and
-- deduct_credits, which move credits for any reason.
revoke all on function
  public.add_credits, public.admit_to_provider, public.admit_upload, public.adopt_media_store, public.announce_stream,
  public.apply_credits, public.begin_attempt, public.begin_generation, public.begin_upload, public.broken_invariants,
  public.cancel_generation, public.claim_initial_grant(uuid), public.claim_initial_grant(uuid, boolean),
  public.cleanup_rate_limit_logs, public.close_attempt, public.complete_initial_grant(uuid),
  public.complete_initial_grant(uuid, integer), public.complete_previous_rows, public.confirm_attempt, public.count_jobs, public.create_anonymous_user,
  public.current_user_folders, public.current_user_id, public.deduct_credits, public.delete_account,
  public.delete_generation, public.emit_event, public.end_attempt, public.enqueue, public.erase_account,
  public.expire_uploads, public.fail_attempt, public.fail_generation, public.find_response,
  public.finish_generation, public.finish_upload, public.forget_apple_revocation, public.forget_upload,
  public.forget_uploads, public.generation_price, public.guard_job_state, public.ids_of_account, public.is_made, public.keep_default_price,
  public.link_apple_identity, public.lock_account, public.lock_apple_sub, public.lock_job, public.log_error,
  public.mark_submitted, public.merge_guest, public.move_balance,
  public.note_provider_health, public.notify_access_change, public.onboard_device, public.open_device_session,
  public.open_session, public.prune_logs, public.rate_limit_state, public.redact, public.redact_notes,
  public.record_apple_identity, public.record_apple_notification,
  public.record_progress, public.record_provider_event, public.record_provider_outcome, public.refuse_ledger_change,
  public.remove_uploads, public.requeue_orphans, public.revoke_sessions, public.rotate_session,
  public.schedule_apple_revocation, public.schedule_cleanup, public.schedule_confirm,
  public.schedule_confirmation, public.schedule_poll, public.schedule_settle, public.schedule_stop,
  public.schedule_submit, public.sign_in_with_apple, public.stop_at_provider, public.store_apple_token,
  public.store_response, public.survivor_of, public.take_rate_limit, public.update_profile, public.update_user_metadata,
  public.withdraw_initial_grant, public.check_lots, public.credit_purchase, public.expire_due_lots, public.expire_lots,
  public.finish_store_notification, public.give_to_lots, public.lock_transaction, public.purchase_consumption,
  public.record_store_notification, public.refund_purchase, public.replay_store_notification,
  public.broken_balances, public.broken_by_changes, public.broken_by_jobs, public.broken_by_rows,
  public.broken_by_users, public.broken_generations, public.broken_lots, public.broken_purchases, public.check_changes,
  public.check_range, public.close_violations, public.compare_sums, public.create_code, public.money_rules,
  public.record_violations, public.redeem_code, public.schedule_store_notification, public.suspected_accounts,
  public.take_account_limit, public.take_from_lot, public.take_from_lots, public.alert_violations, public.count_credits,
  public.mark_alert_sent, public.raise_alert,
  public.count_account, public.count_generation, public.count_paying_accounts, public.total_metrics,
  public.admin_refund_credits, public.begin_admin_action, public.create_admin_link, public.create_administrator,
  public.end_admin_session, public.finish_admin_action, public.open_admin_session, public.open_admin_session_by_email,
  public.revoke_administrator, public.admin_pause, public.log_errors, public.spending_state,
  public.admin_adjust_credits, public.admin_ban_user, public.admin_cancel_job, public.admin_create_code,
  public.admin_toggle_model, public.admin_unban_user, public.admin_update_model, public.admin_update_product,
  public.administrator_state, public.answer_admin_action, public.changed_values, public.iso_time,
  public.model_of_admin, public.owner_replays_notification, public.product_of_admin, public.record_owner_action,
  public.admin_replay_delivery, public.claim_webhooks, public.record_webhook_attempt, public.resume_webhooks,
  public.schedule_webhook, public.finish_push, public.forget_push_token, public.forget_tokens_of_session,
  public.move_push_tokens, public.register_push_token, public.replay_push, public.schedule_push,
  public.schedule_pushes, public.trim_push_tokens, public.admin_handle_report, public.empty_deleted_jobs,
  public.expire_videos, public.find_share, public.note_file_sweep, public.prune_rows, public.report_video,
  public.retention_kinds, public.retentions, public.share_video, public.unshare_video, public.add_figures,
  public.count_days, public.day_bounds, public.seconds_of, public.uncounted_figures
from public, anon, authenticated, service_role, rendio_server;

grant usage on schema public to rendio_server, anon, authenticated;

-- The server may read everything, and write only through these procedures.
grant select on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings, public.proven_devices,
  public.merged_users, public.apple_identities, public.used_identity_tokens, public.apple_tokens, public.apple_revocations,
  public.apple_account_notifications, public.user_metadata, public.products, public.purchases, public.store_notifications,
  public.codes, public.code_uses, public.credit_lots, public.lot_movements, public.money_checks, public.audit_progress,
  public.money_violations, public.alerts, public.credit_totals, public.administrators, public.admin_links,
  public.admin_sessions, public.metric_entries, public.metric_totals, public.balance_totals,
  public.webhook_deliveries, public.push_tokens, public.pushes, public.shares, public.reports, public.file_sweeps,
  public.day_figures, public.day_progress
to rendio_server;
grant execute on function
  public.admit_upload, public.adopt_media_store, public.announce_stream, public.begin_attempt, public.begin_generation,
  public.begin_upload, public.broken_invariants, public.cancel_generation, public.claim_initial_grant(uuid),
  public.claim_initial_grant(uuid, boolean), public.close_attempt, public.complete_initial_grant(uuid),
  public.complete_initial_grant(uuid, integer), public.confirm_attempt, public.create_anonymous_user, public.current_user_id, public.delete_account,
  public.delete_generation, public.end_attempt, public.erase_account, public.expire_uploads, public.fail_attempt, public.fail_generation, public.finish_generation,
  public.finish_upload, public.forget_apple_revocation, public.forget_upload, public.forget_uploads,
  public.link_apple_identity, public.mark_submitted, public.note_provider_health,
  public.onboard_device, public.open_device_session, public.open_session, public.prune_logs, public.record_progress,
  public.record_apple_notification, public.record_provider_event, public.record_provider_outcome, public.remove_uploads,
  public.requeue_orphans, public.revoke_sessions, public.rotate_session, public.schedule_cleanup, public.schedule_confirm, public.schedule_confirmation,
  public.schedule_poll, public.schedule_settle, public.schedule_stop, public.schedule_submit, public.sign_in_with_apple,
  public.store_apple_token, public.survivor_of, public.take_rate_limit, public.update_profile,
  public.update_user_metadata, public.withdraw_initial_grant, public.credit_purchase, public.expire_due_lots,
  public.broken_balances, public.broken_generations, public.broken_lots, public.broken_purchases, public.check_changes,
  public.check_range, public.close_violations, public.compare_sums, public.finish_store_notification,
  public.money_rules, public.purchase_consumption, public.record_store_notification, public.redeem_code,
  public.refund_purchase, public.replay_store_notification, public.suspected_accounts, public.take_account_limit,
  public.raise_alert, public.mark_alert_sent, public.total_metrics, public.admin_refund_credits,
  public.end_admin_session, public.open_admin_session, public.admin_pause, public.log_errors,
  public.admin_adjust_credits, public.admin_ban_user, public.admin_cancel_job, public.admin_create_code,
  public.admin_toggle_model, public.admin_unban_user, public.admin_update_model, public.admin_update_product,
  public.admin_replay_delivery, public.claim_webhooks, public.record_webhook_attempt, public.finish_push,
  public.forget_push_token, public.move_push_tokens, public.register_push_token, public.schedule_push,
  public.admin_handle_report, public.empty_deleted_jobs, public.expire_videos, public.find_share,
  public.note_file_sweep, public.prune_rows, public.report_video, public.retention_kinds, public.share_video,
  public.unshare_video, public.count_days, public.day_bounds, public.uncounted_figures
to rendio_server;

-- Users may read their own rows and the available models, by the row policies.
grant execute on function public.current_user_folders, public.current_user_id to anon, authenticated;
grant select on table public.models to anon, authenticated;
grant select on table public.users, public.video_jobs, public.quota_log to authenticated;

-- The server logs in as the owner and acts as rendio_server from its first statement on.
do $$
begin
  if not pg_has_role(
    'rendio_server',
    case when current_setting('server_version_num')::integer >= 160000 then 'SET' else 'MEMBER' end
  ) then
    grant rendio_server to current_user;
  end if;
end
$$;

insert into public.schema_history (name, hash) values ('grants.sql', '355dc3cc779530396e223ab7e2a1887a543aac6c614c67d04ebb5a5b8e2002c6')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

reset check_function_bodies;

insert into public.schema_history (name, hash) values ('behaviour', '20261130000009')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
