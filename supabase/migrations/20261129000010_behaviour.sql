-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: procedures/accounts/complete_initial_grant.sql, procedures/accounts/create_anonymous_user.sql, procedures/accounts/current_user_folders.sql, procedures/accounts/current_user_id.sql, procedures/accounts/delete_account.sql, procedures/accounts/erase_account.sql, procedures/accounts/forget_apple_revocation.sql, procedures/accounts/ids_of_account.sql, procedures/accounts/link_apple_identity.sql, procedures/accounts/lock_account.sql, procedures/accounts/lock_apple_sub.sql, procedures/accounts/merge_guest.sql, procedures/accounts/move_balance.sql, procedures/accounts/open_device_session.sql, procedures/accounts/open_session.sql, procedures/accounts/record_apple_identity.sql, procedures/accounts/record_apple_notification.sql, procedures/accounts/redact.sql, procedures/accounts/redact_notes.sql, procedures/accounts/revoke_sessions.sql, procedures/accounts/rotate_session.sql, procedures/accounts/schedule_apple_revocation.sql, procedures/accounts/sign_in_with_apple.sql, procedures/accounts/store_apple_token.sql, procedures/accounts/survivor_of.sql, procedures/accounts/update_profile.sql, procedures/accounts/update_user_metadata.sql, procedures/alerts/mark_alert_sent.sql, procedures/alerts/raise_alert.sql, procedures/audit/alert_violations.sql, procedures/audit/broken_balances.sql, procedures/audit/broken_by_changes.sql, procedures/audit/broken_by_jobs.sql, procedures/audit/broken_by_rows.sql, procedures/audit/broken_by_users.sql, procedures/audit/broken_generations.sql, procedures/audit/broken_lots.sql, procedures/audit/broken_purchases.sql, procedures/audit/check_changes.sql, procedures/audit/check_range.sql, procedures/audit/close_violations.sql, procedures/audit/compare_sums.sql, procedures/audit/count_credits.sql, procedures/audit/money_rules.sql, procedures/audit/record_violations.sql, procedures/audit/suspected_accounts.sql, procedures/credits/add_credits.sql, procedures/credits/apply_credits.sql, procedures/credits/broken_invariants.sql, procedures/credits/check_lots.sql, procedures/credits/create_code.sql, procedures/credits/deduct_credits.sql, procedures/credits/expire_due_lots.sql, procedures/credits/expire_lots.sql, procedures/credits/give_to_lots.sql, procedures/credits/redeem_code.sql, procedures/credits/refuse_ledger_change.sql, procedures/credits/take_from_lot.sql, procedures/credits/take_from_lots.sql, procedures/generations/begin_generation.sql, procedures/generations/cancel_generation.sql, procedures/generations/delete_generation.sql, procedures/generations/lock_job.sql, procedures/generations/requeue_orphans.sql, procedures/limits/take_account_limit.sql, procedures/maintenance/prune_logs.sql, procedures/purchases/credit_purchase.sql, procedures/purchases/finish_store_notification.sql, procedures/purchases/lock_transaction.sql, procedures/purchases/purchase_consumption.sql, procedures/purchases/record_store_notification.sql, procedures/purchases/refund_purchase.sql, procedures/purchases/replay_store_notification.sql, procedures/purchases/schedule_store_notification.sql, procedures/storage/admit_upload.sql, procedures/storage/begin_upload.sql, procedures/storage/expire_uploads.sql, procedures/storage/finish_upload.sql, procedures/storage/forget_uploads.sql, procedures/storage/remove_uploads.sql, grants-hosted.sql, grants.sql, seed/products.sql

set check_function_bodies = off;

-- source: procedures/accounts/complete_initial_grant.sql sha256:3af3429ce17e8643da16d06b7532577207088bcfea57f4bd38085799de3d7c7f
-- Adds the credits of a grant that Apple has recorded, once; of a guest that was merged meanwhile, to the survivor. The amount is
-- the operator's setting, not an argument.
-- Returns the balance; null if the account has no open claim, or is deleted.
-- @returns number | null
create or replace function public.complete_initial_grant(p_user_id uuid) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_survivor_id uuid;
begin
  -- A merged guest's row before its survivor's, as lock_account does when it has waited for a merge.
  perform from public.users where id = p_user_id for update;
  v_survivor_id := (public.lock_account(p_user_id)).id;
  if v_survivor_id is null then
    return null;
  end if;
  update public.device_grants
  set state = 'granted', settled_at = clock_timestamp()
  where user_id = p_user_id and state = 'claiming';
  if not found then
    return null;
  end if;
  update public.users set initial_grant_claimed = true, updated_at = now() where id = p_user_id;
  perform public.apply_credits(p_user_id, initial_grant_credits, 'initial_grant', null, 'initial_grant:' || p_user_id)
  from public.settings
  where initial_grant_credits > 0;
  if v_survivor_id <> p_user_id then
    perform public.move_balance(p_user_id, v_survivor_id);
    update public.users set initial_grant_claimed = true where id = v_survivor_id;
  end if;
  return (select credits_remaining from public.users where id = v_survivor_id);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/complete_initial_grant.sql', '3af3429ce17e8643da16d06b7532577207088bcfea57f4bd38085799de3d7c7f')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/create_anonymous_user.sql sha256:330927b604f79f87595ba880ead06bc53ff201eb85005d044cab4acb47e63653
-- Creates an account of which no device is known, with what the app keeps with it. It has no initial grant. Null: that is too much,
-- and nothing was created.
-- @returns string | null
create or replace function public.create_anonymous_user(p_language text, p_data jsonb default '{}') returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_data jsonb;
  v_user_id uuid;
begin
  select coalesce(jsonb_object_agg(key, value), '{}') into v_data from jsonb_each(p_data) where value <> 'null';
  -- The same bound as the column's.
  if octet_length(v_data::text) > 4096 then
    return null;
  end if;
  insert into public.users (began_anonymous, language) values (true, p_language) returning id into v_user_id;
  if v_data <> '{}' then
    insert into public.user_metadata (user_id, data) values (v_user_id, v_data);
  end if;
  return v_user_id;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/create_anonymous_user.sql', '330927b604f79f87595ba880ead06bc53ff201eb85005d044cab4acb47e63653')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/current_user_folders.sql sha256:96162f0e5c7fe676b7825265bbb8ed8eacf2044a83bc2badde7899d01cf840ba
-- The folders in the buckets that belong to the account of current_user_id: its own, and those of the guests merged into it.
create or replace function public.current_user_folders() returns text[]
language sql
stable
security definer
set search_path = ''
as $$
  select array[u.id::text] || array(select m.user_id::text from public.merged_users m where m.survivor_id = u.id)
  from (select public.current_user_id() as id) u
  where u.id is not null
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/current_user_folders.sql', '96162f0e5c7fe676b7825265bbb8ed8eacf2044a83bc2badde7899d01cf840ba')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/current_user_id.sql sha256:64add98cb6e0b0c7d2645f81e3b5384bd7efb8a0f6b8ad3d5eab3f47c821b786
-- The account that the access token of a query through PostgREST or Realtime addresses; null if it has none, its session has
-- ended, or the account is banned or deleted.
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
    and (
      t.session_id is null
      or exists (select from public.sessions s where s.id = t.session_id and s.user_id = u.id and s.revoked_at is null)
    )
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/current_user_id.sql', '64add98cb6e0b0c7d2645f81e3b5384bd7efb8a0f6b8ad3d5eab3f47c821b786')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/delete_account.sql sha256:2110958df81e6d04ab451487257034f1c396e0c81357f91de9d4c13e6df74f15
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
  perform public.enqueue('erase_account', json_build_object('user_id', v_user_id), 'erase:' || v_user_id);
  return v_user_id;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/delete_account.sql', '2110958df81e6d04ab451487257034f1c396e0c81357f91de9d4c13e6df74f15')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/erase_account.sql sha256:16901388c8e89e4b54329fd70b7eda923ad2708415e4d850500ca9c748073693
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
  set prompt = '[deleted]', image_url = null, error_message = null, deleted_at = coalesce(deleted_at, clock_timestamp())
  where job_id = any (v_jobs);
  get diagnostics v_sum = row_count;
  -- A vendor's message may quote the prompt.
  update public.provider_attempts
  set error = null, result_error = null
  where job_id = any (v_jobs) and (error is not null or result_error is not null);
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
  return v_sum;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/erase_account.sql', '16901388c8e89e4b54329fd70b7eda923ad2708415e4d850500ca9c748073693')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/forget_apple_revocation.sql sha256:ec56e5f7ba02296c5d5043b047247897a902ffc4394e3ada289b37ce3c3d86a2
-- Apple has revoked the token, or does not know it.
create or replace function public.forget_apple_revocation(p_id uuid) returns void
language sql
security definer
set search_path = ''
as $$
  delete from public.apple_revocations where id = p_id
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/forget_apple_revocation.sql', 'ec56e5f7ba02296c5d5043b047247897a902ffc4394e3ada289b37ce3c3d86a2')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/ids_of_account.sql sha256:42cb0828e80e37d9b5c1f43c30ba3f0719a21e52f5be79a7cdd0d9d1d440bad6
-- All ids that address an account: its own, and those of the guests that were merged into it.
create or replace function public.ids_of_account(p_user_id uuid) returns uuid[]
language sql
stable
security definer
set search_path = ''
as $$
  select array[p_user_id] || array(select user_id from public.merged_users where survivor_id = p_user_id)
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/ids_of_account.sql', '42cb0828e80e37d9b5c1f43c30ba3f0719a21e52f5be79a7cdd0d9d1d440bad6')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/link_apple_identity.sql sha256:507cc49cad0352d9cee42dcbcc9d0827907aa9809a3f4e9580548803957603df
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
  if v_caller.id is null or v_caller.deleted_at is not null then
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

insert into public.schema_history (name, hash) values ('procedures/accounts/link_apple_identity.sql', '507cc49cad0352d9cee42dcbcc9d0827907aa9809a3f4e9580548803957603df')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/lock_account.sql sha256:6d8b061d659828092f3b08245d195c1024edc58ce600764f2978fde93e910e50
-- Locks the account that an id addresses and returns its row: for a merged guest the survivor's, also if the merge was committed
-- while this call waited. All columns are null if there is no such account, or it is deleted.
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
  return v_user;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/lock_account.sql', '6d8b061d659828092f3b08245d195c1024edc58ce600764f2978fde93e910e50')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/lock_apple_sub.sql sha256:550f9e112c80d572d877322602fe5c3fe0b5c5cd2c8f8661d2183014593131cf
-- Makes the calls that concern one Apple user wait for each other, before any row is locked.
create or replace function public.lock_apple_sub(p_apple_sub text) returns void
language sql
security definer
set search_path = ''
as $$
  select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('apple ' || p_apple_sub, 0))
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/lock_apple_sub.sql', '550f9e112c80d572d877322602fe5c3fe0b5c5cd2c8f8661d2183014593131cf')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/merge_guest.sql sha256:356401aa81febbc56f2700dc57de4a34b7d339d33254840c6b5fb9e52311f41c
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
  -- It only says what a guest may store.
  delete from public.proven_devices where user_id = p_guest_id;
  insert into public.user_metadata (user_id, data)
  select p_survivor_id, data from public.user_metadata where user_id = p_guest_id
  on conflict (user_id) do nothing;
  delete from public.user_metadata where user_id = p_guest_id;
  -- Wakes the survivor's event streams, which have the guest's events now.
  perform pg_catalog.pg_notify('user_events', p_survivor_id::text);
  -- Stay with the guest's id: quota_log, device_grants, job_counters, admin_actions, used_identity_tokens. A guest that is merged
  -- has no row in user_bans, apple_identities and apple_tokens.
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/merge_guest.sql', '356401aa81febbc56f2700dc57de4a34b7d339d33254840c6b5fb9e52311f41c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/move_balance.sql sha256:961516872d62d275472882c7e11721c72b6ecc18b30dc6a29ef60229a70b5f14
-- Moves a merged guest's balance, which may be a debt, its lots and its lifetime credits to the survivor. The caller holds both row
-- locks and has moved the guest's events.
create or replace function public.move_balance(p_guest_id uuid, p_survivor_id uuid) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_balance integer;
  v_total integer;
  v_new integer;
begin
  select credits_remaining, credits_total into v_balance, v_total from public.users where id = p_guest_id;
  update public.credit_lots set user_id = p_survivor_id where user_id = p_guest_id;
  if v_balance <> 0 then
    perform public.apply_credits(p_guest_id, -v_balance, 'account_merge', null, null);
    v_new := public.apply_credits(p_survivor_id, v_balance, 'account_merge', null, null);
    -- Where one of the two was in debt, the credits of the other repay it.
    perform public.take_from_lots(
      p_survivor_id,
      greatest(v_balance, 0) + greatest(v_new - v_balance, 0) - greatest(v_new, 0),
      (select id from public.quota_log where user_id = p_survivor_id order by seq desc limit 1)
    );
  end if;
  -- That the guest's is 0 now is no event: its streams have ended.
  delete from public.user_events where user_id = p_guest_id;
  update public.users set credits_total = 0 where id = p_guest_id;
  update public.users set credits_total = credits_total + v_total where id = p_survivor_id;
  update public.merged_users set credits_total = credits_total + v_total where user_id = p_guest_id;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/move_balance.sql', '961516872d62d275472882c7e11721c72b6ecc18b30dc6a29ef60229a70b5f14')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/open_device_session.sql sha256:5051ce9a78414ac6ef5d0812491cc01eaf40e5036c3c799912949c313a1a59c0
-- Opens a session for a device that Apple has verified, unless its account changed meanwhile: it was banned or deleted, it signed
-- in with Apple, or it lost the device id. False: no session was opened.
-- @returns boolean
create or replace function public.open_device_session(
  p_user_id uuid,
  p_device_id text,
  p_session_id uuid,
  p_token_hash bytea,
  p_nonce bytea,
  p_lifetime_seconds integer
) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform
  from public.users u
  where u.id = p_user_id
    and u.device_id = p_device_id
    and u.apple_sub is null
    and u.deleted_at is null
    and not exists (select from public.user_bans b where b.user_id = u.id)
  for update of u;
  if not found then
    return false;
  end if;
  perform public.open_session(p_user_id, p_session_id, p_token_hash, p_nonce, p_lifetime_seconds);
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/open_device_session.sql', '5051ce9a78414ac6ef5d0812491cc01eaf40e5036c3c799912949c313a1a59c0')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/open_session.sql sha256:ab707218290187ace30dbdd0963e5641c3b5a8d69a5596621d9903a5ef219d1c
-- Opens a session with its first refresh token, which is stored as a hash. It ends `p_lifetime_seconds` after the last refresh.
-- Above a hundred, the session that was refreshed longest ago ends. Does nothing for an account that is deleted.
create or replace function public.open_session(
  p_user_id uuid,
  p_session_id uuid,
  p_token_hash bytea,
  p_nonce bytea,
  p_lifetime_seconds integer
) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
begin
  if v_user_id is null then
    return;
  end if;
  insert into public.sessions (id, user_id, expires_at)
  values (p_session_id, v_user_id, clock_timestamp() + make_interval(secs => p_lifetime_seconds));
  insert into public.refresh_tokens (token_hash, session_id, generation, nonce)
  values (p_token_hash, p_session_id, 0, p_nonce);
  -- Far more than a person has devices: what an account holds is bounded.
  update public.sessions
  set revoked_at = clock_timestamp()
  where id in (
    select id
    from public.sessions
    where user_id = v_user_id and revoked_at is null and id <> p_session_id
    order by refreshed_at desc
    offset 99
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/open_session.sql', 'ab707218290187ace30dbdd0963e5641c3b5a8d69a5596621d9903a5ef219d1c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/record_apple_identity.sql sha256:b83412aeefbe8763d72bd3091253ee816c473304598bd4e8e3365d4217c9f7be
-- Stores what an identity token says about the person, and that they have just signed in. An account keeps its e-mail address if
-- the token has none: Apple sends it only to apps that asked for it.
create or replace function public.record_apple_identity(
  p_user_id uuid,
  p_email text,
  p_is_email_verified boolean,
  p_is_private_email boolean
) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.users
  set email = coalesce(p_email, email), updated_at = now()
  where id = p_user_id and email is distinct from coalesce(p_email, email);
  insert into public.apple_identities as i (user_id, is_email_verified, is_private_email)
  values (p_user_id, p_email is not null and p_is_email_verified, p_email is not null and p_is_private_email)
  on conflict (user_id) do update
  set is_email_verified = case when p_email is null then i.is_email_verified else p_is_email_verified end,
      is_private_email = case when p_email is null then i.is_private_email else p_is_private_email end,
      signed_in_at = clock_timestamp();
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/record_apple_identity.sql', 'b83412aeefbe8763d72bd3091253ee816c473304598bd4e8e3365d4217c9f7be')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/record_apple_notification.sql sha256:e100211c3695520affce9686e97e76b85b82262d7b8584dad25e3a16efe4a229
-- Records one of Apple's verified notifications about an account and does what it says, once. A notification that is older than
-- the account's last sign-in does not end the sessions that were opened since.
-- `deleted_id`: the account that was deleted, whose rows are to be erased.
-- @returns {outcome: 'done' | 'duplicate' | 'without_effect', deleted_id: string | null}
create or replace function public.record_apple_notification(
  p_notification_id text,
  p_type text,
  p_apple_sub text,
  p_event_at timestamptz,
  p_email text default null,
  p_is_private_email boolean default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid;
  v_deleted_id uuid;
begin
  perform public.lock_apple_sub(p_apple_sub);
  select id into v_user_id from public.users where apple_sub = p_apple_sub and deleted_at is null for update;
  insert into public.apple_account_notifications (notification_id, type, has_effect)
  values (
    p_notification_id,
    p_type,
    v_user_id is not null and p_type in ('consent-revoked', 'account-delete', 'email-disabled', 'email-enabled')
  )
  on conflict (notification_id) do nothing;
  if not found then
    return jsonb_build_object('outcome', 'duplicate', 'deleted_id', null);
  elsif v_user_id is null then
    return jsonb_build_object('outcome', 'without_effect', 'deleted_id', null);
  end if;

  case p_type
    when 'consent-revoked' then
      update public.sessions
      set revoked_at = clock_timestamp()
      where user_id = v_user_id and revoked_at is null and created_at <= p_event_at;
      -- Apple has revoked them already.
      delete from public.apple_tokens where user_id = v_user_id and created_at <= p_event_at;
    when 'account-delete' then
      v_deleted_id := public.delete_account(v_user_id);
    when 'email-disabled', 'email-enabled' then
      update public.apple_identities
      set is_email_enabled = p_type = 'email-enabled',
          is_private_email = coalesce(p_is_private_email, is_private_email),
          email_changed_at = p_event_at
      where user_id = v_user_id and (email_changed_at is null or email_changed_at < p_event_at);
      if found and p_email is not null then
        update public.users set email = p_email, updated_at = now() where id = v_user_id;
      end if;
    else
      return jsonb_build_object('outcome', 'without_effect', 'deleted_id', null);
  end case;
  return jsonb_build_object('outcome', 'done', 'deleted_id', v_deleted_id);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/record_apple_notification.sql', 'e100211c3695520affce9686e97e76b85b82262d7b8584dad25e3a16efe4a229')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/redact.sql sha256:f636ca1e79595c878419bc2469206a41c753a8a430eed77e87419b20ecc7b824
-- Replaces these texts, in any case of their letters, in all strings of a JSON value. Never in its text form: a text that a device
-- chose might match the JSON itself.
create or replace function public.redact(p_value jsonb, p_texts text[]) returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_text text;
  v_result text;
begin
  case jsonb_typeof(p_value)
    when 'string' then
      v_result := p_value #>> '{}';
      foreach v_text in array p_texts loop
        v_result := regexp_replace(v_result, regexp_replace(v_text, '([^[:alnum:]])', '\\\1', 'g'), '[deleted]', 'gi');
      end loop;
      return to_jsonb(v_result);
    when 'array' then
      return (
        select coalesce(jsonb_agg(public.redact(item, p_texts) order by place), '[]')
        from jsonb_array_elements(p_value) with ordinality as t (item, place)
      );
    when 'object' then
      return (select coalesce(jsonb_object_agg(key, public.redact(value, p_texts)), '{}') from jsonb_each(p_value));
    else
      return p_value;
  end case;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/redact.sql', 'f636ca1e79595c878419bc2469206a41c753a8a430eed77e87419b20ecc7b824')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/redact_notes.sql sha256:0d1f4180628bb9b2358eaece5e4f23187b65fcc8f843316d26af9ef3f7e68900
-- Removes an account's e-mail address, device id and Apple sub from what administrators have written about these ids, before the
-- account loses them. The caller holds its row lock.
create or replace function public.redact_notes(p_user_id uuid, p_about uuid[]) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_texts text[] := (
    select array_remove(array[nullif(email, ''), device_id, apple_sub], null) from public.users where id = p_user_id
  );
begin
  update public.admin_actions
  set reason = left(public.redact(to_jsonb(reason), v_texts) #>> '{}', 2000),
      details = public.redact(details, v_texts)
  where target_user_id = any (p_about)
    and (public.redact(to_jsonb(reason), v_texts) <> to_jsonb(reason) or public.redact(details, v_texts) <> details);
  update public.user_bans
  set reason = left(public.redact(to_jsonb(reason), v_texts) #>> '{}', 2000)
  where user_id = p_user_id and public.redact(to_jsonb(reason), v_texts) <> to_jsonb(reason);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/redact_notes.sql', '0d1f4180628bb9b2358eaece5e4f23187b65fcc8f843316d26af9ef3f7e68900')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/revoke_sessions.sql sha256:df4c114d1814c78c358f20b678389be9ecb4dace206b868ed2b62868e5c1f458
-- Ends sessions of an account: this one (`local`), all but this one (`others`), or all (`global`). Returns how many.
create or replace function public.revoke_sessions(p_user_id uuid, p_scope text, p_session_id uuid default null) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users := public.lock_account(p_user_id);
  v_count integer;
begin
  update public.sessions
  set revoked_at = clock_timestamp()
  where user_id = v_user.id
    and revoked_at is null
    and case p_scope
      when 'local' then id = p_session_id
      when 'others' then id is distinct from p_session_id
      else true
    end;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/revoke_sessions.sql', 'df4c114d1814c78c358f20b678389be9ecb4dace206b868ed2b62868e5c1f458')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/rotate_session.sql sha256:b82405747e1dd0a847d85253edebd40b341f0a226c266dafae48fd8b5c7f0dec
-- Exchanges a refresh token for the next one. The direct parent of the active token may be sent again, because its response may
-- have been lost: it gets the nonce (hex) of the active token. Any older token was stolen or replayed: the session is closed.
-- @returns {outcome: 'rotated', user_id: string, session_id: string}
--   | {outcome: 'active', user_id: string, session_id: string, nonce: string}
--   | {outcome: 'reused', user_id: string, session_id: string}
--   | {outcome: 'not_found' | 'session_expired' | 'session_revoked' | 'banned'}
create or replace function public.rotate_session(
  p_token_hash bytea,
  p_next_token_hash bytea,
  p_next_nonce bytea,
  p_lifetime_seconds integer
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_token public.refresh_tokens;
  v_session public.sessions;
  v_user_id uuid;
  v_active_nonce bytea;
begin
  select * into v_token from public.refresh_tokens where token_hash = p_token_hash;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  -- The owner of the session: a merge that gives it to another account while this call waits is followed.
  v_user_id := (public.lock_account((select user_id from public.sessions where id = v_token.session_id))).id;
  select * into v_session from public.sessions where id = v_token.session_id and user_id = v_user_id for update;
  if v_user_id is null or v_session.id is null or v_session.revoked_at is not null then
    return jsonb_build_object('outcome', 'session_revoked');
  elsif v_session.expires_at <= clock_timestamp() then
    return jsonb_build_object('outcome', 'session_expired');
  elsif exists (select from public.user_bans where user_id = v_user_id) then
    return jsonb_build_object('outcome', 'banned');
  end if;

  if v_token.generation = v_session.active_generation then
    insert into public.refresh_tokens (token_hash, session_id, generation, nonce)
    values (p_next_token_hash, v_session.id, v_token.generation + 1, p_next_nonce);
    update public.sessions
    set active_generation = v_token.generation + 1,
        refreshed_at = clock_timestamp(),
        expires_at = clock_timestamp() + make_interval(secs => p_lifetime_seconds)
    where id = v_session.id;
    return jsonb_build_object('outcome', 'rotated', 'user_id', v_user_id, 'session_id', v_session.id);
  elsif v_token.generation = v_session.active_generation - 1 then
    select nonce into v_active_nonce
    from public.refresh_tokens
    where session_id = v_session.id and generation = v_session.active_generation;
    return jsonb_build_object(
      'outcome', 'active',
      'user_id', v_user_id,
      'session_id', v_session.id,
      'nonce', encode(v_active_nonce, 'hex')
    );
  end if;

  update public.sessions set revoked_at = clock_timestamp() where id = v_session.id;
  return jsonb_build_object('outcome', 'reused', 'user_id', v_user_id, 'session_id', v_session.id);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/rotate_session.sql', 'b82405747e1dd0a847d85253edebd40b341f0a226c266dafae48fd8b5c7f0dec')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/schedule_apple_revocation.sql sha256:c60522c16d161d5e0c645f915e67cdc81d00641003d13758ada54e3621aab6de
-- Has the worker revoke a token at Apple. Nothing in the queue or in the row names the account.
create or replace function public.schedule_apple_revocation(p_client_id text, p_sealed_token bytea) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id uuid;
begin
  insert into public.apple_revocations (client_id, sealed_token) values (p_client_id, p_sealed_token) returning id into v_id;
  perform public.enqueue('revoke_apple_token', json_build_object('id', v_id), 'revoke_apple:' || v_id);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/schedule_apple_revocation.sql', 'c60522c16d161d5e0c645f915e67cdc81d00641003d13758ada54e3621aab6de')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/sign_in_with_apple.sql sha256:87b01612481a416c9c383c0a4b06a9b3ef455d19e9b3a2408f8b7ad5fbb48190
-- Finds or creates the account of an Apple user whose identity token was verified. A new account has no initial grant: no device
-- was proven.
-- @returns {outcome: 'signed_in', user_id: string, is_new: boolean} | {outcome: 'banned'}
create or replace function public.sign_in_with_apple(
  p_apple_sub text,
  p_is_email_verified boolean,
  p_is_private_email boolean,
  p_language text,
  p_email text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid;
  v_is_new boolean := false;
begin
  perform public.lock_apple_sub(p_apple_sub);
  select id into v_user_id from public.users where apple_sub = p_apple_sub and deleted_at is null for update;
  if not found then
    insert into public.users (apple_sub, is_guest, language)
    values (p_apple_sub, false, p_language)
    returning id into v_user_id;
    v_is_new := true;
  elsif exists (select from public.user_bans where user_id = v_user_id) then
    return jsonb_build_object('outcome', 'banned');
  end if;
  perform public.record_apple_identity(v_user_id, p_email, p_is_email_verified, p_is_private_email);
  return jsonb_build_object('outcome', 'signed_in', 'user_id', v_user_id, 'is_new', v_is_new);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/sign_in_with_apple.sql', '87b01612481a416c9c383c0a4b06a9b3ef455d19e9b3a2408f8b7ad5fbb48190')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/store_apple_token.sql sha256:bb5629ad9b8da53e6ed9e2ae99babf0dd3432ed9332fc60c3bc7bb5ead3f61fa
-- Keeps the refresh token that Apple gave for an account, encrypted. False: the account is deleted, so that the token is revoked
-- instead.
create or replace function public.store_apple_token(p_user_id uuid, p_client_id text, p_sealed_token bytea) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users := public.lock_account(p_user_id);
begin
  if v_user.id is null then
    perform public.schedule_apple_revocation(p_client_id, p_sealed_token);
    return false;
  end if;
  insert into public.apple_tokens (user_id, client_id, sealed_token)
  values (v_user.id, p_client_id, p_sealed_token)
  on conflict (user_id, client_id) do update set sealed_token = excluded.sealed_token, created_at = clock_timestamp();
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/store_apple_token.sql', 'bb5629ad9b8da53e6ed9e2ae99babf0dd3432ed9332fc60c3bc7bb5ead3f61fa')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/survivor_of.sql sha256:51f2bd859a3c9037fae61f0710feb27b8c4561e2c460d2a27ad3a0667eef24e1
-- The account that an id addresses: a merged guest's survivor, else the id itself.
create or replace function public.survivor_of(p_user_id uuid) returns uuid
language sql
stable
security definer
set search_path = ''
as $$
  select coalesce((select survivor_id from public.merged_users where user_id = p_user_id), p_user_id)
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/survivor_of.sql', '51f2bd859a3c9037fae61f0710feb27b8c4561e2c460d2a27ad3a0667eef24e1')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/update_profile.sql sha256:2f860405e2dbc3bc8d8e986ca80826b6168a6bc8e9cd4da77e3875b0500d55c5
-- Updates the fields that are not null. False: the account is deleted.
create or replace function public.update_profile(
  p_user_id uuid,
  p_language text default null,
  p_theme_preference text default null
) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
begin
  update public.users
  set language = coalesce(p_language, language),
      theme_preference = coalesce(p_theme_preference, theme_preference),
      updated_at = now()
  where id = v_user_id;
  return found;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/update_profile.sql', '2f860405e2dbc3bc8d8e986ca80826b6168a6bc8e9cd4da77e3875b0500d55c5')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/update_user_metadata.sql sha256:1208f71ee401bae73cfc308668a68a54a9c453695e41aad7223bca9752f3391d
-- Merges fields into what an app keeps with an account; a null removes its field. `too_large`: nothing was changed.
-- @returns 'updated' | 'too_large' | 'user_not_found'
create or replace function public.update_user_metadata(p_user_id uuid, p_data jsonb) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users := public.lock_account(p_user_id);
  v_data jsonb;
begin
  if v_user.id is null then
    return 'user_not_found';
  end if;
  select coalesce(jsonb_object_agg(key, value), '{}') into v_data
  from jsonb_each(coalesce((select data from public.user_metadata where user_id = v_user.id), '{}') || p_data)
  where value <> 'null';
  -- The same bound as the column's.
  if octet_length(v_data::text) > 4096 then
    return 'too_large';
  end if;
  insert into public.user_metadata (user_id, data)
  values (v_user.id, v_data)
  on conflict (user_id) do update set data = excluded.data;
  update public.users set updated_at = now() where id = v_user.id;
  return 'updated';
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/update_user_metadata.sql', '1208f71ee401bae73cfc308668a68a54a9c453695e41aad7223bca9752f3391d')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/alerts/mark_alert_sent.sql sha256:341845608abf2e4c0e34ae7d81edbaf8d61e38b42fb6fa8a95bbb3a4a8bdfa59
-- Notes that a receiver has the alert, so that a repeated task does not send it there again.
create or replace function public.mark_alert_sent(p_alert_id uuid, p_receiver text) returns void
language sql
security definer
set search_path = ''
as $$
  update public.alerts
  set sent_to = sent_to || p_receiver
  where id = p_alert_id and not p_receiver = any (sent_to)
$$;

insert into public.schema_history (name, hash) values ('procedures/alerts/mark_alert_sent.sql', '341845608abf2e4c0e34ae7d81edbaf8d61e38b42fb6fa8a95bbb3a4a8bdfa59')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/alerts/raise_alert.sql sha256:469f7d5a9c9dea2fb746966fd91315f680564f9f47014691579291033c235173
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
  -- With the queue's growing waits, ten attempts last for hours.
  perform public.enqueue(
    'send_alert',
    json_build_object('alert_id', v_id),
    'alert:' || p_kind || ':' || p_subject || ':' || extract(epoch from v_hour)::bigint,
    0,
    10
  );
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/alerts/raise_alert.sql', '469f7d5a9c9dea2fb746966fd91315f680564f9f47014691579291033c235173')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/alert_violations.sql sha256:2a8860b09dd6d09d99762f2312f943afdc3196ffff08032d9be874fefa841663
-- Tells operators of open violations that no alert has told of: at most one alert an hour, and what is found after it is in the next.
create or replace function public.alert_violations() returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_details jsonb;
begin
  if not exists (select from public.money_violations where alerted_at is null) then
    return;
  end if;
  with untold as (
    select invariant, coalesce(details ->> 'user_id', subject::text) as account, found_at
    from public.money_violations
    where alerted_at is null
  )
  select jsonb_build_object(
    'violations', (select count(*) from untold),
    'rules', (
      select jsonb_agg(jsonb_build_object('rule', r.invariant, 'violations', r.violations) order by r.invariant)
      from (select invariant, count(*) as violations from untold group by invariant) r
    ),
    'accounts', (
      select jsonb_agg(a.account)
      from (select account from untold group by account order by min(found_at), account limit 3) a
    )
  )
  into v_details;
  if public.raise_alert('money_invariant', '', v_details) then
    -- Another check may hold some of them, and wait for a row that this one holds.
    update public.money_violations
    set alerted_at = clock_timestamp()
    where (invariant, subject) in (
      select invariant, subject from public.money_violations where alerted_at is null for update skip locked
    );
  end if;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/alert_violations.sql', '2a8860b09dd6d09d99762f2312f943afdc3196ffff08032d9be874fefa841663')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/broken_balances.sql sha256:6a0cd203daeb2b80e58524a8d7587a370a277fc772b072db6c5435973624c70f
-- What is wrong with the balances of a range of users and with their ledgers: see broken_invariants.
create or replace function public.broken_balances(p_after uuid, p_until uuid)
returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
-- A plan for any range would read the whole tables.
set plan_cache_mode = force_custom_plan
as $$
begin
  return query
  with ledger as (
    select q.*, coalesce(lag(q.balance_after) over (partition by q.user_id order by q.seq), 0) as balance_before
    from (
      -- Few and short columns, because a check of everything sorts them.
      select l.user_id, l.seq, l.change, l.balance_after,
        case when l.reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed') then l.change else 0 end as earned,
        l.reason = 'initial_grant' as is_grant,
        l.balance_after < 0 and l.change < 0 and l.reason not in ('apple_refund', 'store_refund', 'account_merge') as is_debt
      from public.quota_log l
      where l.user_id > p_after and l.user_id <= p_until
      -- Not merged with the query around it, which would sort the reasons too.
      offset 0
    ) q
  ), summed as (
    select l.user_id, sum(l.change) as total, sum(l.earned) as earned, count(*) filter (where l.is_grant) as grants,
      min(l.seq) filter (where l.balance_after <> l.balance_before::bigint + l.change) as broken_seq,
      min(l.seq) filter (where l.is_debt) as debt_seq
    from ledger l
    group by l.user_id
  ), arrived as (
    select g.survivor_id, sum(g.credits_total) as credits_total
    from public.merged_users g
    where g.survivor_id > p_after and g.survivor_id <= p_until
    group by g.survivor_id
  ), compared as (
    select u.id, u.credits_remaining, u.credits_total, coalesce(s.total, 0) as total, coalesce(s.earned, 0) as earned,
      coalesce(s.grants, 0) as grants, s.broken_seq, s.debt_seq,
      coalesce(a.credits_total, 0) - coalesce(gone.credits_total, 0) as merged
    from public.users u
    left join summed s on s.user_id = u.id
    left join arrived a on a.survivor_id = u.id
    left join public.merged_users gone on gone.user_id = u.id
    where u.id > p_after and u.id <= p_until
  )
  select v.*
  from compared c
  cross join lateral (
    select 'a balance equals the sum of its ledger rows', c.id,
      jsonb_build_object('balance', c.credits_remaining, 'sum', c.total)
    where c.credits_remaining <> c.total
    union all
    select 'the lifetime total counts grants and purchases', c.id,
      jsonb_build_object('credits_total', c.credits_total, 'sum', c.earned, 'merged', c.merged)
    where c.credits_total <> c.earned + c.merged
    union all
    select 'an account has one initial grant', c.id, jsonb_build_object('grants', c.grants)
    where c.grants > 1
    union all
    -- The first row of an account with which it does not add up.
    select 'every row carries the balance after it', q.id,
      jsonb_build_object(
        'user_id', c.id, 'balance_after', q.balance_after, 'change', q.change,
        'balance_before', coalesce(
          (
            select o.balance_after
            from public.quota_log o
            where o.user_id = c.id and o.seq < q.seq
            order by o.seq desc
            limit 1
          ),
          0
        )
      )
    from public.quota_log q
    where q.user_id = c.id and q.seq = c.broken_seq
    union all
    select 'nothing but a store''s refund leaves a debt', q.id,
      jsonb_build_object('user_id', c.id, 'reason', q.reason, 'change', q.change, 'balance_after', q.balance_after)
    from public.quota_log q
    where q.user_id = c.id and q.seq = c.debt_seq
  ) v
  where c.credits_remaining <> c.total or c.credits_total <> c.earned + c.merged or c.grants > 1
    or c.broken_seq is not null or c.debt_seq is not null;

  return query
  select 'a merged guest keeps nothing', g.user_id,
    jsonb_build_object('survivor', g.survivor_id, 'balance', coalesce(u.credits_remaining, 0), 'is_deleted', u.deleted_at is not null)
  from public.merged_users g
  left join public.users u on u.id = g.user_id
  where g.user_id > p_after and g.user_id <= p_until
    and (
      u.id is null
      or u.deleted_at is null
      or u.credits_remaining <> 0
      or exists (select from public.job_counters c where c.user_id = g.user_id and c.jobs <> 0)
    );

  return query
  select 'a merge moves what it takes', s.id, jsonb_build_object('arrived', m.arrived, 'left', m.gone)
  from (
    select distinct survivor_id as id from public.merged_users where survivor_id > p_after and survivor_id <= p_until
  ) s
  cross join lateral (
    select
      coalesce((select sum(q.change) from public.quota_log q where q.user_id = s.id and q.reason = 'account_merge'), 0) as arrived,
      -coalesce(
        (
          select sum(q.change)
          from public.merged_users g
          join public.quota_log q on q.user_id = g.user_id and q.reason = 'account_merge'
          where g.survivor_id = s.id
        ),
        0
      ) as gone
  ) m
  where m.arrived <> m.gone;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/broken_balances.sql', '6a0cd203daeb2b80e58524a8d7587a370a277fc772b072db6c5435973624c70f')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/broken_by_changes.sql sha256:b8e88b29fb201f15845339bcabb289afbf3086491a83a28a51ea96720944aacf
-- The violations that some changes show: of the ledger rows with `p_after_seq` < seq <= `p_until_seq`, of the jobs that ended between
-- `p_after` and `p_until`, and of their users, lots and purchases. Costs what the changes cost, however many rows there are: what was
-- checked before is taken as right, so that a new row need only follow from the one before it. The rules are those of broken_invariants.
create or replace function public.broken_by_changes(
  p_after_seq bigint,
  p_until_seq bigint,
  p_after timestamptz,
  p_until timestamptz
) returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
set plan_cache_mode = force_custom_plan
-- Right after a large import, before its statistics are known, too.
set enable_seqscan = off
as $$
declare
  v_jobs uuid[];
  v_users uuid[];
begin
  v_jobs := array(
    select q.job_id from public.quota_log q where q.seq > p_after_seq and q.seq <= p_until_seq and q.job_id is not null
    union
    select j.job_id from public.video_jobs j where j.completed_at > p_after and j.completed_at <= p_until
  );
  v_users := array(
    select q.user_id from public.quota_log q where q.seq > p_after_seq and q.seq <= p_until_seq
    union
    select j.user_id from unnest(v_jobs) t (job_id) join public.video_jobs j on j.job_id = t.job_id
    union
    select x.id
    from public.merged_users g
    cross join lateral (values (g.user_id), (g.survivor_id)) x (id)
    where g.merged_at > p_after and g.merged_at <= p_until
  );
  return query select * from public.broken_by_rows(p_after_seq, p_until_seq);
  return query select * from public.broken_by_jobs(v_jobs);
  return query select * from public.broken_by_users(v_users);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/broken_by_changes.sql', 'b8e88b29fb201f15845339bcabb289afbf3086491a83a28a51ea96720944aacf')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/broken_by_jobs.sql sha256:b926a87affa7a69bd84051d2574fcb8073b59547f2a5a2042c7e12c997aceaff
-- The violations that some generations show, and any that should have ended: see broken_by_changes.
create or replace function public.broken_by_jobs(p_jobs uuid[]) returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  return query
  select v.*
  from unnest(p_jobs) t (job_id)
  join public.video_jobs j on j.job_id = t.job_id
  cross join lateral (
    select
      count(*) filter (where q.reason = 'video_generation') as charges,
      -coalesce(sum(q.change) filter (where q.reason = 'video_generation'), 0) as charged,
      count(*) filter (where q.reason = 'generation_failed_refund') as refunds,
      coalesce(sum(q.change) filter (where q.reason = 'generation_failed_refund'), 0) as refunded,
      count(*) filter (where coalesce(g.survivor_id, q.user_id) <> j.user_id) as others
    from public.quota_log q
    left join public.merged_users g on g.user_id = q.user_id
    where q.job_id = j.job_id and q.reason in ('video_generation', 'generation_failed_refund')
  ) m
  cross join lateral (
    select 'a generation has one charge, of its price', j.job_id,
      jsonb_build_object(
        'user_id', j.user_id, 'credits_used', j.credits_used, 'charged', m.charged, 'charges', m.charges, 'of_others', m.others
      )
    where m.charges <> 1 or m.charged <> j.credits_used or m.others <> 0
    union all
    select 'a failed generation has its credits back, once, and no other has', j.job_id,
      jsonb_build_object(
        'user_id', j.user_id, 'status', j.status, 'credits_used', j.credits_used, 'refunds', m.refunds, 'refunded', m.refunded
      )
    where (j.status = 'failed' and (m.refunds <> 1 or m.refunded <> j.credits_used)) or (j.status <> 'failed' and m.refunds <> 0)
    union all
    select 'a refund goes back to the lots that paid', j.job_id,
      jsonb_build_object('user_id', j.user_id, 'lot', l.lot_id, 'paid', l.paid, 'returned', l.returned)
    from (
      select o.lot_id, -coalesce(sum(o.change) filter (where o.change < 0), 0) as paid,
        coalesce(sum(o.change) filter (where o.change > 0), 0) as returned
      from public.lot_movements o
      where o.job_id = j.job_id
      group by o.lot_id
    ) l
    where m.refunds > 0 and l.paid <> l.returned
  ) v;

  return query
  select 'a generation ends within a day of its deadline', j.job_id,
    jsonb_build_object('user_id', j.user_id, 'status', j.status, 'deadline_at', j.deadline_at)
  from public.video_jobs j
  where j.status in ('pending', 'processing') and j.deadline_at < now() - interval '1 day'
  order by j.deadline_at
  limit 1000;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/broken_by_jobs.sql', 'b926a87affa7a69bd84051d2574fcb8073b59547f2a5a2042c7e12c997aceaff')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/broken_by_rows.sql sha256:f342d4e9c2663298820eaeeb44191845dd6b98b09aac647df9ad773ccc25924b
-- The violations that ledger rows show, with their lots and purchases: see broken_by_changes.
create or replace function public.broken_by_rows(p_after_seq bigint, p_until_seq bigint)
returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_last_seq bigint := (select last_seq_without_lots from public.audit_progress);
begin
  return query
  select v.*
  from public.quota_log q
  cross join lateral (
    select coalesce(
      (select o.balance_after from public.quota_log o where o.user_id = q.user_id and o.seq < q.seq order by o.seq desc limit 1), 0
    ) as balance_before
  ) b
  cross join lateral (
    select case
      when q.seq <= v_last_seq then 0
      else greatest(q.balance_after, 0) - greatest(q.balance_after - q.change, 0)
    end as expected,
    -- Only a row that adds credits opens a lot. One that a charge had opened would hold more than the balance.
    coalesce((select sum(amount) from public.credit_lots where ledger_id = q.id and q.change > 0), 0)
    + coalesce((select sum(change) from public.lot_movements where ledger_id = q.id), 0) as in_lots
  ) m
  cross join lateral (
    select 'every row carries the balance after it', q.id,
      jsonb_build_object(
        'user_id', q.user_id, 'balance_before', b.balance_before, 'change', q.change, 'balance_after', q.balance_after
      )
    where q.balance_after <> b.balance_before::bigint + q.change
    union all
    select 'nothing but a store''s refund leaves a debt', q.id,
      jsonb_build_object('user_id', q.user_id, 'reason', q.reason, 'change', q.change, 'balance_after', q.balance_after)
    where q.balance_after < 0 and q.change < 0 and q.reason not in ('apple_refund', 'store_refund', 'account_merge')
    union all
    select 'an account has one initial grant', q.user_id, jsonb_build_object('grants', g.grants)
    from (
      select count(*) as grants from public.quota_log o where o.user_id = q.user_id and o.reason = 'initial_grant'
    ) g
    where q.reason = 'initial_grant' and g.grants > 1
    union all
    select 'a transaction is credited once', q.id,
      jsonb_build_object('user_id', q.user_id, 'transaction_id', q.transaction_id, 'change', q.change)
    where q.transaction_id is not null
      and exists (select from public.quota_log o where o.transaction_id = q.transaction_id and o.seq < q.seq)
    union all
    select 'a ledger row changes the lots as much as the balance', q.id,
      jsonb_build_object('user_id', q.user_id, 'reason', q.reason, 'expected', m.expected, 'in_lots', m.in_lots)
    where q.reason <> 'account_merge' and m.in_lots <> m.expected
  ) v
  where q.seq > p_after_seq and q.seq <= p_until_seq;

  return query
  select 'a lot is its amount and its movements', c.id,
    jsonb_build_object('user_id', c.user_id, 'amount', c.amount, 'movements', s.moved, 'remaining', c.remaining)
  from (
    select l.id
    from public.quota_log q
    join public.credit_lots l on l.ledger_id = q.id
    where q.seq > p_after_seq and q.seq <= p_until_seq and q.change > 0
    union
    select m.lot_id
    from public.quota_log q
    join public.lot_movements m on m.ledger_id = q.id
    where q.seq > p_after_seq and q.seq <= p_until_seq
  ) touched
  join public.credit_lots c on c.id = touched.id
  cross join lateral (
    select coalesce(sum(change), 0) as moved from public.lot_movements where lot_id = c.id
  ) s
  -- Larger lots than any product's have too many movements to be read every minute: the check of everything reads them.
  where c.amount <= 10000 and c.amount + s.moved <> c.remaining;

  return query
  select distinct 'lots and purchases belong to accounts', c.id, jsonb_build_object('kind', 'lot', 'user_id', c.user_id)
  from public.quota_log q
  join public.credit_lots c on c.ledger_id = q.id and q.change > 0
  where q.seq > p_after_seq and q.seq <= p_until_seq and not exists (select from public.users u where u.id = c.user_id);

  return query
  select distinct 'a purchase is what its ledger rows say', q.purchase_id,
    jsonb_build_object(
      'user_id', coalesce(p.user_id, q.user_id), 'credits', coalesce(p.credits, 0), 'taken_back', coalesce(p.taken_back, 0),
      'credited', m.credited, 'taken', m.taken,
      'rows', m.rows, 'of_others', m.others
    )
  from public.quota_log q
  left join public.purchases p on p.id = q.purchase_id
  cross join lateral (
    select
      coalesce(sum(o.change) filter (where o.reason = 'iap_purchase'), 0) as credited,
      -coalesce(sum(o.change) filter (where o.reason <> 'iap_purchase'), 0) as taken,
      count(*) filter (where o.reason = 'iap_purchase') as rows,
      count(*) filter (where coalesce(g.survivor_id, o.user_id) is distinct from p.user_id) as others
    from public.quota_log o
    left join public.merged_users g on g.user_id = o.user_id
    where o.purchase_id = q.purchase_id
  ) m
  where q.seq > p_after_seq and q.seq <= p_until_seq and q.purchase_id is not null
    and (p.user_id is null or p.credits <> m.credited or p.taken_back <> m.taken or m.rows > 1 or m.others > 0);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/broken_by_rows.sql', 'f342d4e9c2663298820eaeeb44191845dd6b98b09aac647df9ad773ccc25924b')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/broken_by_users.sql sha256:54d4c44124e79d770d40f71b8b4bc9e2c3c1005469c35db0810027f7c7f2f666
-- The violations that the balances of some users show, which were right before their last changes: see broken_by_changes.
create or replace function public.broken_by_users(p_users uuid[]) returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  return query
  select v.*
  from unnest(p_users) t (id)
  join public.users u on u.id = t.id
  left join public.merged_users g on g.user_id = u.id
  cross join lateral (
    select
      coalesce((select q.balance_after from public.quota_log q where q.user_id = u.id order by q.seq desc limit 1), 0) as newest,
      coalesce((select sum(c.remaining) from public.credit_lots c where c.user_id = u.id and c.is_open), 0) as held,
      coalesce(
        (
          select sum(q.change)
          from public.quota_log q
          where q.user_id = u.id and q.reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed')
        ),
        0
      ) as earned,
      coalesce((select sum(a.credits_total) from public.merged_users a where a.survivor_id = u.id), 0)
      - coalesce(g.credits_total, 0) as merged
  ) m
  cross join lateral (
    select 'a balance equals the sum of its ledger rows', u.id,
      jsonb_build_object('balance', u.credits_remaining, 'sum', m.newest)
    where u.credits_remaining <> m.newest
    union all
    select 'lots hold the balance', u.id, jsonb_build_object('balance', u.credits_remaining, 'held', m.held)
    where m.held <> greatest(u.credits_remaining, 0)
    union all
    select 'the lifetime total counts grants and purchases', u.id,
      jsonb_build_object('credits_total', u.credits_total, 'sum', m.earned, 'merged', m.merged)
    where u.credits_total <> m.earned + m.merged
    union all
    select 'a merged guest keeps nothing', u.id,
      jsonb_build_object('survivor', g.survivor_id, 'balance', coalesce(u.credits_remaining, 0), 'is_deleted', u.deleted_at is not null)
    where g.user_id is not null
      and (
        u.deleted_at is null
        or u.credits_remaining <> 0
        or exists (select from public.job_counters c where c.user_id = u.id and c.jobs <> 0)
      )
  ) v;

  return query
  select 'a merge moves what it takes', t.id, jsonb_build_object('arrived', m.arrived, 'left', m.gone)
  from unnest(p_users) t (id)
  cross join lateral (
    select
      coalesce((select sum(q.change) from public.quota_log q where q.user_id = t.id and q.reason = 'account_merge'), 0) as arrived,
      -coalesce(
        (
          select sum(q.change)
          from public.merged_users g
          join public.quota_log q on q.user_id = g.user_id and q.reason = 'account_merge'
          where g.survivor_id = t.id
        ),
        0
      ) as gone
  ) m
  where m.arrived <> m.gone and not exists (select from public.merged_users g where g.user_id = t.id);

  -- Of jobs that run: by these counters more are refused. Those of ended jobs are left to the check of everything.
  return query
  select 'job counters say what the jobs say', t.id,
    jsonb_build_object('status', s.status, 'kept', m.kept, 'counted', m.counted)
  from unnest(p_users) t (id)
  cross join (values ('pending'), ('processing')) s (status)
  cross join lateral (
    select
      coalesce((select c.jobs from public.job_counters c where c.user_id = t.id and c.status = s.status), 0) as kept,
      (
        select count(*)
        from public.video_jobs j
        where j.user_id = t.id and j.status = s.status and j.deleted_at is null
      ) as counted
  ) m
  where m.kept <> m.counted;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/broken_by_users.sql', '54d4c44124e79d770d40f71b8b4bc9e2c3c1005469c35db0810027f7c7f2f666')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/broken_generations.sql sha256:46f83d198b5635eaf22cdef50e695b6d716861266bd1297464d4f8399f9b0f52
-- What is wrong with the charges and refunds of the generations of a range of users: see broken_invariants.
create or replace function public.broken_generations(p_after uuid, p_until uuid)
returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
-- A plan for any range would read the whole tables.
set plan_cache_mode = force_custom_plan
as $$
begin
  return query
  with jobs as materialized (
    -- Each half has an index of its own.
    select j.job_id, j.user_id, j.status, j.credits_used, j.deadline_at
    from public.video_jobs j
    where j.deleted_at is null and j.user_id > p_after and j.user_id <= p_until
    union all
    select j.job_id, j.user_id, j.status, j.credits_used, j.deadline_at
    from public.video_jobs j
    where j.deleted_at is not null and j.user_id > p_after and j.user_id <= p_until
  ), compared as materialized (
    select j.*, m.*
    from jobs j
    cross join lateral (
      select
        count(*) filter (where q.reason = 'video_generation') as charges,
        -coalesce(sum(q.change) filter (where q.reason = 'video_generation'), 0) as charged,
        count(*) filter (where q.reason = 'generation_failed_refund') as refunds,
        coalesce(sum(q.change) filter (where q.reason = 'generation_failed_refund'), 0) as refunded,
        -- A merged guest's rows stay in its ledger, while its jobs are the survivor's.
        count(*) filter (where coalesce(g.survivor_id, q.user_id) <> j.user_id) as others
      from public.quota_log q
      left join public.merged_users g on g.user_id = q.user_id
      where q.job_id = j.job_id and q.reason in ('video_generation', 'generation_failed_refund')
    ) m
  )
  select 'a generation has one charge, of its price', c.job_id,
    jsonb_build_object(
      'user_id', c.user_id, 'credits_used', c.credits_used, 'charged', c.charged, 'charges', c.charges, 'of_others', c.others
    )
  from compared c
  where c.charges <> 1 or c.charged <> c.credits_used or c.others <> 0
  union all
  select 'a failed generation has its credits back, once, and no other has', c.job_id,
    jsonb_build_object(
      'user_id', c.user_id, 'status', c.status, 'credits_used', c.credits_used, 'refunds', c.refunds, 'refunded', c.refunded
    )
  from compared c
  where (c.status = 'failed' and (c.refunds <> 1 or c.refunded <> c.credits_used))
    or (c.status <> 'failed' and c.refunds <> 0)
  union all
  select 'a refund goes back to the lots that paid', c.job_id,
    jsonb_build_object('user_id', c.user_id, 'lot', l.lot_id, 'paid', l.paid, 'returned', l.returned)
  from compared c
  cross join lateral (
    select m.lot_id, -coalesce(sum(m.change) filter (where m.change < 0), 0) as paid,
      coalesce(sum(m.change) filter (where m.change > 0), 0) as returned
    from public.lot_movements m
    where m.job_id = c.job_id
    group by m.lot_id
  ) l
  where c.refunds > 0 and l.paid <> l.returned
  union all
  select 'a generation ends within a day of its deadline', c.job_id,
    jsonb_build_object('user_id', c.user_id, 'status', c.status, 'deadline_at', c.deadline_at)
  from compared c
  where c.status in ('pending', 'processing') and c.deadline_at < now() - interval '1 day';

  return query
  select 'job counters say what the jobs say', coalesce(k.user_id, n.user_id),
    jsonb_build_object(
      'status', coalesce(k.status, n.status), 'kept', coalesce(k.jobs, 0), 'counted', coalesce(n.jobs, 0)
    )
  from (
    select c.* from public.job_counters c where c.user_id > p_after and c.user_id <= p_until
  ) k
  full join (
    select j.user_id, j.status, count(*) as jobs
    from public.video_jobs j
    where j.deleted_at is null and j.user_id > p_after and j.user_id <= p_until
    group by j.user_id, j.status
  ) n on n.user_id = k.user_id and n.status = k.status
  where coalesce(k.jobs, 0) <> coalesce(n.jobs, 0);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/broken_generations.sql', '46f83d198b5635eaf22cdef50e695b6d716861266bd1297464d4f8399f9b0f52')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/broken_lots.sql sha256:c99e766490fed2b0317eab2a22f789adb854d3b1c7732f033b862656e141ec49
-- What is wrong with the lots of a range of users and with their movements: see broken_invariants.
create or replace function public.broken_lots(p_after uuid, p_until uuid)
returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
-- A plan for any range would read the whole tables.
set plan_cache_mode = force_custom_plan
as $$
declare
  v_last_seq bigint := (select last_seq_without_lots from public.audit_progress);
begin
  return query
  select 'lots hold the balance', u.id, jsonb_build_object('balance', u.credits_remaining, 'held', coalesce(l.held, 0))
  from public.users u
  left join (
    select c.user_id, sum(c.remaining) as held
    from public.credit_lots c
    where c.user_id > p_after and c.user_id <= p_until and c.is_open
    group by c.user_id
  ) l on l.user_id = u.id
  where u.id > p_after and u.id <= p_until and coalesce(l.held, 0) <> greatest(u.credits_remaining, 0);

  return query
  select 'a lot is its amount and its movements', c.id,
    jsonb_build_object('user_id', c.user_id, 'amount', c.amount, 'movements', m.moved, 'remaining', c.remaining)
  from public.credit_lots c
  cross join lateral (
    select coalesce(sum(change), 0) as moved from public.lot_movements where lot_id = c.id
  ) m
  where c.user_id > p_after and c.user_id <= p_until and c.amount + m.moved <> c.remaining;

  return query
  select 'a ledger row changes the lots as much as the balance', q.id,
    jsonb_build_object('user_id', q.user_id, 'reason', q.reason, 'expected', e.expected, 'in_lots', m.opened + m.moved)
  from public.quota_log q
  cross join lateral (
    select case
      -- Before there were lots.
      when q.seq <= v_last_seq then 0
      else greatest(q.balance_after, 0) - greatest(q.balance_after - q.change, 0)
    end as expected
  ) e
  cross join lateral (
    select
      coalesce((select sum(amount) from public.credit_lots where ledger_id = q.id), 0) as opened,
      coalesce((select sum(change) from public.lot_movements where ledger_id = q.id), 0) as moved
  ) m
  where q.user_id > p_after and q.user_id <= p_until
    -- Its lots change their owner instead.
    and q.reason <> 'account_merge'
    and m.opened + m.moved <> e.expected;

  -- And no lot says that it was changed by a row that is not there.
  return query
  select 'a ledger row changes the lots as much as the balance', x.ledger_id,
    jsonb_build_object('user_id', c.user_id, 'reason', 'there is no such row', 'expected', 0, 'in_lots', sum(x.change))
  from public.credit_lots c
  cross join lateral (
    select c.ledger_id, c.amount as change where c.ledger_id is not null
    union all
    select m.ledger_id, m.change from public.lot_movements m where m.lot_id = c.id
  ) x
  where c.user_id > p_after and c.user_id <= p_until
    and not exists (select from public.quota_log q where q.id = x.ledger_id)
  group by x.ledger_id, c.user_id;

  return query
  select 'lots and purchases belong to accounts', x.id, jsonb_build_object('kind', x.kind, 'user_id', x.user_id)
  from (
    select c.id, 'lot' as kind, c.user_id
    from public.credit_lots c
    where c.user_id > p_after and c.user_id <= p_until
    union all
    select p.id, 'purchase', p.user_id
    from public.purchases p
    where p.user_id > p_after and p.user_id <= p_until
  ) x
  where not exists (select from public.users u where u.id = x.user_id);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/broken_lots.sql', 'c99e766490fed2b0317eab2a22f789adb854d3b1c7732f033b862656e141ec49')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/broken_purchases.sql sha256:920fde7ab1004871a7ad4dd99d38dbb40734b62e0c390df668dbdb7807bf673d
-- What is wrong with the purchases of a range of users: see broken_invariants.
create or replace function public.broken_purchases(p_after uuid, p_until uuid)
returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
-- A plan for any range would read the whole tables.
set plan_cache_mode = force_custom_plan
as $$
begin
  return query
  select 'a purchase is what its ledger rows say', p.id,
    jsonb_build_object(
      'user_id', p.user_id, 'credits', p.credits, 'taken_back', p.taken_back, 'credited', m.credited, 'taken', m.taken,
      'rows', m.rows, 'of_others', m.others
    )
  from public.purchases p
  cross join lateral (
    select
      coalesce(sum(q.change) filter (where q.reason = 'iap_purchase'), 0) as credited,
      -coalesce(sum(q.change) filter (where q.reason <> 'iap_purchase'), 0) as taken,
      count(*) filter (where q.reason = 'iap_purchase') as rows,
      -- A merged guest's rows stay in its ledger, while its purchases are the survivor's.
      count(*) filter (where coalesce(g.survivor_id, q.user_id) <> p.user_id) as others
    from public.quota_log q
    left join public.merged_users g on g.user_id = q.user_id
    where q.purchase_id = p.id
  ) m
  where p.user_id > p_after and p.user_id <= p_until
    and (p.credits <> m.credited or p.taken_back <> m.taken or m.rows > 1 or m.others > 0);

  return query
  -- A purchase that is not there, or nobody's.
  select 'a purchase is what its ledger rows say', q.purchase_id,
    jsonb_build_object(
      'user_id', q.user_id, 'credits', 0, 'taken_back', 0,
      'credited', coalesce(sum(q.change) filter (where q.reason = 'iap_purchase'), 0),
      'taken', -coalesce(sum(q.change) filter (where q.reason <> 'iap_purchase'), 0),
      'rows', count(*) filter (where q.reason = 'iap_purchase'), 'of_others', count(*)
    )
  from public.quota_log q
  where q.user_id > p_after and q.user_id <= p_until and q.purchase_id is not null
    and not exists (select from public.purchases p where p.id = q.purchase_id and p.user_id is not null)
  group by q.purchase_id, q.user_id;

  return query
  select 'a transaction is credited once', q.id,
    jsonb_build_object('user_id', q.user_id, 'transaction_id', q.transaction_id, 'change', q.change)
  from public.quota_log q
  where q.user_id > p_after and q.user_id <= p_until and q.transaction_id is not null
    -- All but the first.
    and exists (select from public.quota_log o where o.transaction_id = q.transaction_id and o.seq < q.seq);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/broken_purchases.sql', '920fde7ab1004871a7ad4dd99d38dbb40734b62e0c390df668dbdb7807bf673d')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/check_changes.sql sha256:ded747b22a0c351faf15ac9c771f8eecb39dcc1c526491ecb3c030d01d5f2a44
-- Checks what has changed since the last check, at most `p_limit` ledger rows and as many jobs, and records what it finds. `new`: what
-- was not known. `is_limited`: there is more to check. `has_advanced`: another call may check what was noted meanwhile. Null: another
-- process checks.
-- Of two rows, the one with the lower seq may be committed later. So a call only notes how far the ledger goes; a later call checks up
-- to there, once every transaction that was running has ended. A minute is enough: no statement of the server runs for as long.
-- @returns {
--   rows: number, jobs: number, new: {invariant: string, subject: string, details: Json}[], is_limited: boolean, has_advanced: boolean
-- } | null
create or replace function public.check_changes(p_limit integer default 2000) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_newest bigint;
  v_progress public.audit_progress;
  v_xid xid8;
  v_snapshot pg_snapshot;
  v_is_settled boolean;
  v_seq bigint;
  v_rows integer;
  v_until timestamptz;
  v_jobs integer;
  v_violations jsonb;
begin
  -- Before this transaction has an id: those that were running when this was read have lower ones.
  select coalesce(max(seq), 0) into v_newest from public.quota_log;
  select * into v_progress from public.audit_progress for update skip locked;
  if not found then
    return null;
  end if;
  v_xid := pg_current_xact_id();
  v_snapshot := pg_current_snapshot();
  v_is_settled := pg_snapshot_xmin(v_snapshot) >= v_progress.noted_xid or v_progress.noted_at < now() - interval '1 minute';

  select count(*), max(seq)
  into v_rows, v_seq
  from (
    select seq
    from public.quota_log
    where v_is_settled and seq > v_progress.checked_seq and seq <= v_progress.noted_seq
    order by seq
    limit p_limit
  ) due;
  select count(*), max(completed_at)
  into v_jobs, v_until
  from (
    select completed_at
    from public.video_jobs
    where v_is_settled and completed_at > v_progress.checked_until and completed_at <= v_progress.noted_at
    order by completed_at
    limit p_limit
  ) due;
  if v_rows < p_limit then
    v_seq := case when v_is_settled then greatest(v_progress.noted_seq, v_progress.checked_seq) else v_progress.checked_seq end;
  end if;
  if v_jobs < p_limit then
    v_until := case when v_is_settled then greatest(v_progress.noted_at, v_progress.checked_until) else v_progress.checked_until end;
  end if;

  select coalesce(jsonb_agg(jsonb_build_object('invariant', b.invariant, 'subject', b.subject, 'details', b.details)), '[]')
  into v_violations
  from public.broken_by_changes(v_progress.checked_seq, v_seq, v_progress.checked_until, v_until) b;
  perform public.count_credits(v_seq);
  update public.audit_progress
  set checked_seq = v_seq, checked_until = v_until;
  if v_is_settled and v_rows < p_limit and v_jobs < p_limit then
    update public.audit_progress set noted_seq = v_newest, noted_xid = v_xid, noted_at = now();
  end if;
  return jsonb_build_object(
    'rows', v_rows,
    'jobs', v_jobs,
    'new', public.record_violations(v_violations),
    'is_limited', v_rows >= p_limit or v_jobs >= p_limit,
    'has_advanced', v_is_settled
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/check_changes.sql', 'ded747b22a0c351faf15ac9c771f8eecb39dcc1c526491ecb3c030d01d5f2a44')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/check_range.sql sha256:89e0a06c146e604b0ff4a531c6c161398a3c546ac0ab201d57020971b6359f1e
-- Checks a range of users (see broken_invariants), records what it finds, and returns what was not known.
-- @returns {invariant: string, subject: string, details: Json}[]
create or replace function public.check_range(p_after uuid default null, p_until uuid default null) returns jsonb
language sql
security definer
set search_path = ''
as $$
  select public.record_violations(
    coalesce(
      (
        select jsonb_agg(jsonb_build_object('invariant', b.invariant, 'subject', b.subject, 'details', b.details))
        from public.broken_invariants(p_after, p_until) b
      ),
      '[]'
    )
  )
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/check_range.sql', '89e0a06c146e604b0ff4a531c6c161398a3c546ac0ab201d57020971b6359f1e')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/close_violations.sql sha256:09e2623c2b6dda51a05f91a667da1b58113e25651010ac08043790daf070e5ee
-- Removes the violations that were last found before this time: a check of everything has ended since then, and they hold again.
-- Returns how many are open.
create or replace function public.close_violations(p_before timestamptz) returns integer
language plpgsql
security definer
set search_path = ''
as $$
begin
  delete from public.money_violations where last_found_at < p_before;
  perform public.record_violations('[]');
  return (select count(*) from public.money_violations);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/close_violations.sql', '09e2623c2b6dda51a05f91a667da1b58113e25651010ac08043790daf070e5ee')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/compare_sums.sql sha256:d85e9dfb72950e0603f828085e9a34549beda0683bb16ae71af4155a0a75da1b
-- Whether the parts of the money are proven to be right: 'generations' (else see broken_generations), 'lots' (broken_lots) and
-- 'purchases' (broken_purchases), with the number of rows that were read. Two tables that must say the same, such as jobs and their charges, are
-- compared by the sum of a hash over the rows of each: one pass over each table, without joins. The hashes differ from call to
-- call, so that sums of different rows are equal by chance once in two billion calls, and in the next call not again.
create or replace function public.compare_sums() returns table (part text, is_proven boolean, rows bigint)
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  v_seed bigint := (random() * 9e18)::bigint;
  v_last_seq bigint := (select last_seq_without_lots from public.audit_progress);
  -- Where amounts are multiplied: 31 bits, so that no product overflows.
  c_mask constant bigint := 2147483647;
  v_ledger record;
  v_jobs record;
  v_counted numeric;
  v_moved record;
  v_lots record;
  v_held numeric;
  v_bought record;
begin
  select
    -- Of each charge and refund: which job, whose, how much.
    sum(
      uuid_hash_extended(q.job_id, uuid_hash_extended(coalesce(g.survivor_id, q.user_id), hashint4extended(-q.change, v_seed)))
    ) filter (where q.reason = 'video_generation' and q.job_id is not null) as charges,
    sum(
      uuid_hash_extended(q.job_id, uuid_hash_extended(coalesce(g.survivor_id, q.user_id), hashint4extended(q.change, v_seed)))
    ) filter (where q.reason = 'generation_failed_refund' and q.job_id is not null) as refunds,
    -- Of each row: how much it changes what the lots hold.
    sum(
      (greatest(q.balance_after, 0) - greatest(q.balance_after - q.change, 0))::bigint
      * (uuid_hash_extended(q.id, v_seed) & c_mask)
    ) filter (where (q.seq > v_last_seq) is not false and q.reason <> 'account_merge') as in_lots,
    -- Of each purchase: whose, how much was credited and taken back.
    sum(
      q.change::bigint
      * (uuid_hash_extended(q.purchase_id, uuid_hash_extended(coalesce(g.survivor_id, q.user_id), v_seed)) & c_mask)
    ) filter (where q.purchase_id is not null) as bought,
    sum(uuid_hash_extended(q.purchase_id, hashint4extended(q.change, v_seed)))
      filter (where q.purchase_id is not null and q.reason = 'iap_purchase') as credited,
    count(*) as rows
  into v_ledger
  from public.quota_log q
  left join public.merged_users g on g.user_id = q.user_id;

  select
    sum(
      uuid_hash_extended(j.job_id, uuid_hash_extended(coalesce(g.survivor_id, j.user_id), hashint4extended(j.credits_used, v_seed)))
    ) as charges,
    sum(
      uuid_hash_extended(j.job_id, uuid_hash_extended(coalesce(g.survivor_id, j.user_id), hashint4extended(j.credits_used, v_seed)))
    ) filter (where j.status = 'failed') as refunds,
    sum(hashtextextended(j.status, uuid_hash_extended(j.user_id, v_seed)) & c_mask) filter (where j.deleted_at is null) as counted,
    count(*) filter (
      where j.status in ('pending', 'processing') and j.deadline_at < now() - interval '1 day'
    ) as overdue,
    count(*) as rows
  into v_jobs
  from public.video_jobs j
  left join public.merged_users g on g.user_id = j.user_id;
  select sum(c.jobs * (hashtextextended(c.status, uuid_hash_extended(c.user_id, v_seed)) & c_mask))
  into v_counted
  from public.job_counters c;
  part := 'generations';
  rows := v_ledger.rows + v_jobs.rows;
  is_proven := v_ledger.charges is not distinct from v_jobs.charges
    and v_ledger.refunds is not distinct from v_jobs.refunds
    and coalesce(v_jobs.counted, 0) = coalesce(v_counted, 0)
    and v_jobs.overdue = 0
    -- What a refund gave back, compared with what the charge took: lot by lot.
    and not exists (
      select
      from public.quota_log r
      join public.lot_movements m on m.job_id = r.job_id
      where r.reason = 'generation_failed_refund'
      group by m.job_id, m.lot_id
      having sum(m.change) <> 0
    );
  return next;

  select
    coalesce(sum(m.change * (uuid_hash_extended(m.ledger_id, v_seed) & c_mask)), 0) as by_row,
    coalesce(sum(m.change * (uuid_hash_extended(m.lot_id, v_seed) & c_mask)), 0) as by_lot,
    count(*) as rows
  into v_moved
  from public.lot_movements m;
  select
    coalesce(
      sum(c.amount * (uuid_hash_extended(c.ledger_id, v_seed) & c_mask)) filter (where c.ledger_id is not null), 0
    ) as opened,
    coalesce(sum((c.remaining - c.amount) * (uuid_hash_extended(c.id, v_seed) & c_mask)), 0) as moved,
    coalesce(sum(c.remaining * (uuid_hash_extended(c.user_id, v_seed) & c_mask)), 0) as held,
    count(*) filter (where u.id is null) as ownerless,
    count(*) as rows
  into v_lots
  from public.credit_lots c
  left join public.users u on u.id = c.user_id;
  select coalesce(sum(greatest(u.credits_remaining, 0) * (uuid_hash_extended(u.id, v_seed) & c_mask)), 0)
  into v_held
  from public.users u;
  part := 'lots';
  rows := v_moved.rows + v_lots.rows;
  is_proven := v_lots.moved = v_moved.by_lot
    and v_lots.held = v_held
    and v_lots.ownerless = 0
    and coalesce(v_ledger.in_lots, 0) = v_lots.opened + v_moved.by_row - (
      -- The debt that a merge repaid; which lots it took from is no matter of the row.
      select coalesce(sum(m.change * (uuid_hash_extended(m.ledger_id, v_seed) & c_mask)), 0)
      from public.quota_log q
      join public.lot_movements m on m.ledger_id = q.id
      where q.reason = 'account_merge'
    )
    and not exists (
      select from public.purchases p where p.user_id is not null and not exists (select from public.users u where u.id = p.user_id)
    );
  return next;

  select
    sum(
      (p.credits - p.taken_back)::bigint
      * (uuid_hash_extended(p.id, uuid_hash_extended(coalesce(g.survivor_id, p.user_id), v_seed)) & c_mask)
    ) as bought,
    sum(uuid_hash_extended(p.id, hashint4extended(p.credits, v_seed))) filter (where p.credits > 0) as credited,
    count(*) as rows
  into v_bought
  from public.purchases p
  left join public.merged_users g on g.user_id = p.user_id
  where p.user_id is not null;
  part := 'purchases';
  rows := v_bought.rows;
  is_proven := coalesce(v_bought.bought, 0) = coalesce(v_ledger.bought, 0)
    and v_bought.credited is not distinct from v_ledger.credited
    and not exists (
      select from public.quota_log q where q.transaction_id is not null group by q.transaction_id having count(*) > 1
    );
  return next;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/compare_sums.sql', 'd85e9dfb72950e0603f828085e9a34549beda0683bb16ae71af4155a0a75da1b')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/count_credits.sql sha256:a225b366c59d67923689391820e59cde3a05c6263d218b7acc6ccc6c5c6f4541
-- Adds the ledger rows up to `p_until` to the totals that metrics show, each row once. The caller holds the lock of audit_progress,
-- and every transaction that could still add a row up to there has ended.
create or replace function public.count_credits(p_until bigint) returns void
language sql
security definer
set search_path = ''
as $$
  with due as (
    select
      q.reason,
      sum(abs(q.change::bigint)) as credits,
      sum(greatest(q.balance_after, 0)::bigint - greatest(q.balance_after::bigint - q.change, 0)) as outstanding
    from public.quota_log q
    where q.seq > (select counted_seq from public.audit_progress) and q.seq <= p_until
    group by q.reason
  ), added as (
    insert into public.credit_totals as t (reason, credits)
    select reason, credits
    from due
    on conflict (reason) do update set credits = t.credits + excluded.credits
  )
  update public.audit_progress
  set counted_seq = greatest(counted_seq, p_until),
      credits_outstanding = credits_outstanding + coalesce((select sum(outstanding) from due), 0)
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/count_credits.sql', 'a225b366c59d67923689391820e59cde3a05c6263d218b7acc6ccc6c5c6f4541')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/money_rules.sql sha256:941e6686668b2dc4ce8670d090db1a51dc253c52b900b587445d0d19b532af69
-- The rules of the money, by the names that every check of them uses.
create or replace function public.money_rules() returns table (rule text)
language sql
immutable
set search_path = ''
as $$
  values
    ('a balance equals the sum of its ledger rows'),
    ('every row carries the balance after it'),
    ('nothing but a store''s refund leaves a debt'),
    ('an account has one initial grant'),
    ('a transaction is credited once'),
    ('the lifetime total counts grants and purchases'),
    ('a merged guest keeps nothing'),
    ('a merge moves what it takes'),
    ('a generation has one charge, of its price'),
    ('a failed generation has its credits back, once, and no other has'),
    ('a refund goes back to the lots that paid'),
    ('a generation ends within a day of its deadline'),
    ('job counters say what the jobs say'),
    ('lots hold the balance'),
    ('a lot is its amount and its movements'),
    ('a ledger row changes the lots as much as the balance'),
    ('lots and purchases belong to accounts'),
    ('a purchase is what its ledger rows say')
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/money_rules.sql', '941e6686668b2dc4ce8670d090db1a51dc253c52b900b587445d0d19b532af69')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/record_violations.sql sha256:26a6c30cc44696119ea3ad9e77a96d4f5623588ebc72bd30fbc5aed23a793039
-- Records violations, as jsonb objects of invariant, subject and details, counts the open ones by rule, and alerts operators. Returns
-- those that were not known.
-- @returns {invariant: string, subject: string, details: Json}[]
create or replace function public.record_violations(p_violations jsonb) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_new jsonb;
begin
  with found as (
    select distinct on (v.invariant, v.subject) v.invariant, v.subject, v.details
    from jsonb_to_recordset(p_violations) as v (invariant text, subject uuid, details jsonb)
    order by v.invariant, v.subject
  ), known as (
    update public.money_violations o
    set last_found_at = clock_timestamp(), details = f.details
    from found f
    where o.invariant = f.invariant and o.subject = f.subject
    returning o.invariant, o.subject
  ), added as (
    insert into public.money_violations (invariant, subject, details)
    select f.invariant, f.subject, f.details
    from found f
    where not exists (select from known k where k.invariant = f.invariant and k.subject = f.subject)
    on conflict (invariant, subject) do nothing
    returning invariant, subject, details
  )
  select coalesce(jsonb_agg(jsonb_build_object('invariant', a.invariant, 'subject', a.subject, 'details', a.details)), '[]')
  into v_new
  from added a;

  insert into public.money_checks (invariant, violations, checked_at)
  select r.rule, (select count(*) from public.money_violations o where o.invariant = r.rule), clock_timestamp()
  from public.money_rules() r
  on conflict (invariant) do update set violations = excluded.violations, checked_at = excluded.checked_at;
  perform public.alert_violations();
  return v_new;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/record_violations.sql', '26a6c30cc44696119ea3ad9e77a96d4f5623588ebc72bd30fbc5aed23a793039')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/suspected_accounts.sql sha256:73e59d881569b4a73162e5d6e0b5cea4c171e6ff6970c1925a2e68d9b53ad318
-- Accounts in which a part of the money that compare_sums has not proven may be broken: where the figures of a job, of a ledger row or of
-- a lot differ. Found by one pass over each table; what exactly is wrong there, broken_generations and broken_lots say.
create or replace function public.suspected_accounts(p_part text) returns table (user_id uuid)
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if p_part = 'generations' then
    return query
    with jobs as (
      select x.job_id
      from (
        select j.job_id, uuid_hash_extended(j.user_id, j.credits_used) as charge,
          case when j.status = 'failed' then uuid_hash_extended(j.user_id, j.credits_used) else 0 end as refund
        from public.video_jobs j
        union all
        select q.job_id,
          case when q.reason = 'video_generation' then -uuid_hash_extended(coalesce(g.survivor_id, q.user_id), -q.change) else 0 end,
          case
            when q.reason = 'generation_failed_refund' then -uuid_hash_extended(coalesce(g.survivor_id, q.user_id), q.change)
            else 0
          end
        from public.quota_log q
        left join public.merged_users g on g.user_id = q.user_id
        where q.job_id is not null and q.reason in ('video_generation', 'generation_failed_refund')
      ) x
      group by x.job_id
      having sum(x.charge) <> 0 or sum(x.refund) <> 0
      union
      select m.job_id
      from public.quota_log r
      join public.lot_movements m on m.job_id = r.job_id
      where r.reason = 'generation_failed_refund'
      group by m.job_id, m.lot_id
      having sum(m.change) <> 0
    )
    select j.user_id
    from jobs x
    join public.video_jobs j on j.job_id = x.job_id
    union
    select j.user_id
    from public.video_jobs j
    where j.status in ('pending', 'processing') and j.deadline_at < now() - interval '1 day'
    union
    select x.user_id
    from (
      select c.user_id, c.status, c.jobs from public.job_counters c
      union all
      select j.user_id, j.status, -1 from public.video_jobs j where j.deleted_at is null
    ) x
    group by x.user_id, x.status
    having sum(x.jobs) <> 0;
  elsif p_part = 'lots' then
    return query
    with merged as (
      select q.id from public.quota_log q where q.reason = 'account_merge'
    ), rows as (
      select x.id
      from (
        select q.id, greatest(q.balance_after, 0)::bigint - greatest(q.balance_after - q.change, 0) as change
        from public.quota_log q
        where q.reason <> 'account_merge' and q.seq > (select last_seq_without_lots from public.audit_progress)
        union all
        select c.ledger_id, -c.amount from public.credit_lots c where c.ledger_id is not null
        union all
        select m.ledger_id, -m.change from public.lot_movements m where not exists (select from merged d where d.id = m.ledger_id)
      ) x
      group by x.id
      having sum(x.change) <> 0
    )
    select q.user_id from rows r join public.quota_log q on q.id = r.id
    union
    select c.user_id from rows r join public.credit_lots c on c.ledger_id = r.id
    union
    select c.user_id
    from rows r
    join public.lot_movements m on m.ledger_id = r.id
    join public.credit_lots c on c.id = m.lot_id
    union
    select c.user_id
    from public.credit_lots c
    left join (select m.lot_id, sum(m.change) as moved from public.lot_movements m group by m.lot_id) m on m.lot_id = c.id
    where c.amount + coalesce(m.moved, 0) <> c.remaining
    union
    select x.id
    from (
      select u.id, greatest(u.credits_remaining, 0) as held from public.users u
      union all
      select c.user_id, -c.remaining from public.credit_lots c
    ) x
    group by x.id
    having sum(x.held) <> 0
    union
    select x.user_id
    from (select c.user_id from public.credit_lots c union select p.user_id from public.purchases p where p.user_id is not null) x
    where not exists (select from public.users u where u.id = x.user_id);
  end if;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/suspected_accounts.sql', '73e59d881569b4a73162e5d6e0b5cea4c171e6ff6970c1925a2e68d9b53ad318')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/add_credits.sql sha256:1c6ffe00b06e06edc614827f76403feebd5e17081d02c2c468a94e8f8aef5800
-- Adds credits for a reason, to the survivor of a merged guest. With a transaction id, they are added at most once; with
-- `p_expires_at` (never for a purchase), what is not spent by then expires.
-- @returns {success: true, credits_added: number, credits_remaining: number}
--   | {success: false, error: 'Invalid amount' | 'User not found' | 'Transaction already processed'}
create or replace function public.add_credits(
  p_user_id uuid,
  p_amount integer,
  p_reason text,
  p_transaction_id text default null,
  p_job_id uuid default null,
  p_expires_at timestamptz default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
  v_balance integer;
begin
  if p_amount is null or p_amount <= 0 then
    return jsonb_build_object('success', false, 'error', 'Invalid amount');
  end if;

  v_user := public.lock_account(p_user_id);
  if v_user.id is null then
    return jsonb_build_object('success', false, 'error', 'User not found');
  end if;

  -- Far below the largest integer, so that no balance can overflow.
  if greatest(v_user.credits_remaining, 0)::bigint + p_amount > 1000000000 then
    return jsonb_build_object('success', false, 'error', 'Invalid amount');
  end if;

  v_balance := public.apply_credits(v_user.id, p_amount, p_reason, p_job_id, p_transaction_id, null, p_expires_at);
  if v_balance is null then
    return jsonb_build_object('success', false, 'error', 'Transaction already processed');
  end if;

  return jsonb_build_object('success', true, 'credits_added', p_amount, 'credits_remaining', v_balance);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/add_credits.sql', '1c6ffe00b06e06edc614827f76403feebd5e17081d02c2c468a94e8f8aef5800')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/apply_credits.sql sha256:c7f0f8fb3a1e7eebcaaf8910f43682c37cfa07367e3d5a8cb1de0887792f0708
-- The only procedure that writes users.credits_remaining and quota_log: one ledger row, the balance that follows from it, the lots
-- that pay or receive it, and an event. (move_balance carries users.credits_total over.) Returns the balance, after the expiry of
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
  v_balance integer;
  v_is_living boolean;
begin
  insert into public.quota_log (user_id, job_id, change, reason, transaction_id, balance_after, purchase_id)
  select p_user_id, p_job_id, p_change, p_reason, p_transaction_id, u.credits_remaining + p_change, p_purchase_id
  from public.users u
  where u.id = p_user_id
  on conflict (transaction_id) do nothing
  returning id, balance_after into v_id, v_balance;
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

insert into public.schema_history (name, hash) values ('procedures/credits/apply_credits.sql', 'c7f0f8fb3a1e7eebcaaf8910f43682c37cfa07367e3d5a8cb1de0887792f0708')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/broken_invariants.sql sha256:588ad6085b206483fad2bedbbe09836d00bdbe701f68705c27fc5760c7e60d7b
-- Every violation of a money rule that the rows of some users show: of those with `p_after` < id <= `p_until`; null: no bound.
-- No rows when all rules hold. One range of users costs the same however many others there are, so that a check of the whole
-- database is made of short statements. `audit_…` checks the same rules over everything at once.
create or replace function public.broken_invariants(p_after uuid default null, p_until uuid default null)
returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_after uuid := coalesce(p_after, '00000000-0000-0000-0000-000000000000');
  v_until uuid := coalesce(p_until, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
begin
  return query select * from public.broken_balances(v_after, v_until);
  return query select * from public.broken_generations(v_after, v_until);
  return query select * from public.broken_lots(v_after, v_until);
  return query select * from public.broken_purchases(v_after, v_until);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/broken_invariants.sql', '588ad6085b206483fad2bedbbe09836d00bdbe701f68705c27fc5760c7e60d7b')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/check_lots.sql sha256:75269c90e957742a1495bb6f072611320953937d394c0481b5dc40678370a069
-- At the end of a transaction that changed a balance: the user's lots hold exactly the balance; a debt leaves nothing in them.
create or replace function public.check_lots() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_balance integer;
  v_held bigint;
begin
  select credits_remaining into v_balance from public.users where id = new.id;
  select coalesce(sum(remaining), 0) into v_held from public.credit_lots where user_id = new.id and is_open;
  if v_held <> greatest(v_balance, 0) then
    raise exception 'a balance of % credits, but % in lots', v_balance, v_held using errcode = 'check_violation';
  end if;
  return null;
end
$$;

do $$
begin
  if not exists (select from pg_catalog.pg_trigger where tgname = 'users_lots_hold_the_balance') then
    create constraint trigger users_lots_hold_the_balance
      after insert or update of credits_remaining on public.users
      deferrable initially deferred
      for each row execute function public.check_lots();
  end if;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/check_lots.sql', '75269c90e957742a1495bb6f072611320953937d394c0481b5dc40678370a069')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/create_code.sql sha256:45b9d10fd1c650d0b5bc67d3211a90d3728038ced572065470eba31ab12c6c97
-- Creates a code that gives credits to up to `p_uses_max` accounts. `p_code` in the form in which codes are stored; null: twelve
-- characters that cannot be guessed. All columns are null if there is such a code.
create or replace function public.create_code(
  p_credits integer,
  p_uses_max integer,
  p_code text default null,
  p_expires_at timestamptz default null
) returns public.codes
language plpgsql
security definer
set search_path = ''
as $$
declare
  -- Without characters that look like others: 0 and O, 1, I and L, 2 and Z, 5 and S, 8 and B, U and V.
  v_alphabet constant text := 'ACDEFGHJKMNPQRTVWXY34679';
  v_random bytea;
  v_code public.codes;
begin
  loop
    v_random := sha256(uuid_send(gen_random_uuid()));
    insert into public.codes (code, credits, uses_max, expires_at)
    select
      coalesce(
        p_code,
        -- Two bytes for each character, so that all are as good as equally likely.
        string_agg(
          substr(v_alphabet, (get_byte(v_random, 2 * i) * 256 + get_byte(v_random, 2 * i + 1)) % length(v_alphabet) + 1, 1),
          ''
        )
      ),
      p_credits, p_uses_max, p_expires_at
    from generate_series(0, 11) as i
    on conflict (code) do nothing
    returning * into v_code;
    exit when found or p_code is not null;
  end loop;
  return v_code;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/create_code.sql', '45b9d10fd1c650d0b5bc67d3211a90d3728038ced572065470eba31ab12c6c97')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/deduct_credits.sql sha256:1e090390e1215a239bdc6d741d0c5dfb3c5ba94d2dc698e1a33ea7ad1d0d23e6
-- Deducts credits for a reason, never more than the balance.
-- @returns {success: true, credits_remaining: number}
--   | {success: false, error: 'Invalid amount' | 'User not found'}
--   | {success: false, error: 'Insufficient credits', current_credits: number, required_credits: number}
create or replace function public.deduct_credits(
  p_user_id uuid,
  p_amount integer,
  p_reason text default 'video_generation',
  p_job_id uuid default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
begin
  if p_amount is null or p_amount <= 0 then
    return jsonb_build_object('success', false, 'error', 'Invalid amount');
  end if;

  v_user := public.lock_account(p_user_id);
  if v_user.id is null then
    return jsonb_build_object('success', false, 'error', 'User not found');
  end if;
  -- What has expired is not spent, even before the sweep has seen it.
  v_user.credits_remaining := v_user.credits_remaining - public.expire_lots(v_user.id);

  if v_user.credits_remaining < p_amount then
    return jsonb_build_object(
      'success', false,
      'error', 'Insufficient credits',
      'current_credits', v_user.credits_remaining,
      'required_credits', p_amount
    );
  end if;

  return jsonb_build_object(
    'success', true,
    'credits_remaining', public.apply_credits(v_user.id, -p_amount, p_reason, p_job_id, null)
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/deduct_credits.sql', '1e090390e1215a239bdc6d741d0c5dfb3c5ba94d2dc698e1a33ea7ad1d0d23e6')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/expire_due_lots.sql sha256:910e3eb103e3e06e8b86b5471dd19f4aabdc4482f435d322fcbed079ef569d56
-- Expires the lots of up to `p_limit` users whose time is over. Returns the number of users; the caller repeats it until it is 0.
create or replace function public.expire_due_lots(p_limit integer default 100) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid;
  v_count integer := 0;
begin
  for v_user_id in
    -- An account that a call holds is left to the next time: that call expires its lots itself, and a call that comes with a
    -- merged guest's id locks in another order.
    select u.id from public.users u
    where u.id in (
      select user_id from public.credit_lots where is_open and expires_at <= now() order by expires_at limit p_limit
    )
    order by u.id
    for update skip locked
  loop
    perform public.expire_lots(v_user_id);
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/expire_due_lots.sql', '910e3eb103e3e06e8b86b5471dd19f4aabdc4482f435d322fcbed079ef569d56')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/expire_lots.sql sha256:d13ac83ac9490c5a035af415ee5c9dfbba6ad19513a33be7da1e3f8af588e489
-- Expires what is left in a user's lots whose time is over, each with a ledger row. Returns how many credits expired. The caller holds
-- the user's row lock.
create or replace function public.expire_lots(p_user_id uuid) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_lot record;
  v_sum integer := 0;
begin
  -- They are the first in the order of spending, so each row takes exactly from its own lot.
  for v_lot in
    select remaining from public.credit_lots
    where user_id = p_user_id and is_open and not is_purchased and expires_at <= now()
    order by expires_at, seq
  loop
    perform public.apply_credits(p_user_id, -v_lot.remaining, 'credits_expired', null, null);
    v_sum := v_sum + v_lot.remaining;
  end loop;
  return v_sum;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/expire_lots.sql', 'd13ac83ac9490c5a035af415ee5c9dfbba6ad19513a33be7da1e3f8af588e489')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/give_to_lots.sql sha256:44cf1275ec88dbd05acc9f98e8e497f302a2f010acbb3dd9ae22cb7847904759
-- Puts credits that a ledger row has added into lots: those of a refunded generation into the lots that paid for it, all others into
-- a new lot. The caller holds the user's row lock.
create or replace function public.give_to_lots(
  p_user_id uuid,
  p_amount integer,
  p_reason text,
  p_ledger_id uuid,
  p_job_id uuid default null,
  p_purchase_id uuid default null,
  p_expires_at timestamptz default null
) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_left integer := p_amount;
begin
  if p_reason = 'generation_failed_refund' then
    with paid as (
      select lot_id, -change as amount from public.lot_movements where job_id = p_job_id and change < 0
    ), returned as (
      update public.credit_lots l
      set remaining = l.remaining + p.amount
      from paid p
      where l.id = p.lot_id and l.user_id = p_user_id
      returning l.id, p.amount
    ), noted as (
      insert into public.lot_movements (lot_id, change, ledger_id, job_id)
      select id, amount, p_ledger_id, p_job_id from returned
    )
    select p_amount - coalesce(sum(amount), 0) into v_left from returned;
  end if;
  -- A generation that was charged before there were lots has none to return to.
  if v_left > 0 then
    insert into public.credit_lots (
      user_id, source, is_purchased, amount, remaining, expires_at, purchase_id, ledger_id
    )
    values (
      p_user_id, p_reason, p_reason in ('iap_purchase', 'apple_refund_reversed', 'store_refund_reversed'), v_left, v_left,
      p_expires_at, p_purchase_id, p_ledger_id
    );
  end if;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/give_to_lots.sql', '44cf1275ec88dbd05acc9f98e8e497f302a2f010acbb3dd9ae22cb7847904759')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/redeem_code.sql sha256:5ee5066f0a1453b1c39788f95cc061640623a5d4cb3bbf7a9a8478a8bfe6cf20
-- Gives an account the credits of a code, once for each account; `p_code` in the form in which codes are stored. A code that is unknown,
-- expired or used up is `unusable`, whichever it is, and counts as a guess of the account and of the IP address: of those
-- only so many an hour are answered. With a key, a repeat gets the first response.
-- @returns {outcome: 'redeemed', status_code: number, response: Json, code_id: string, credits: number}
--   | {outcome: 'repeated' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'key_reused' | 'user_not_found'}
--   | {
--     outcome: 'unusable', limit: number, window_seconds: number, remaining: number, reset_seconds: number, allowed: boolean
--   }
--   | {
--     outcome: 'rate_limited', scope: 'account' | 'address', limit: number, window_seconds: number, remaining: number,
--     reset_seconds: number, allowed: boolean
--   }
create or replace function public.redeem_code(
  p_user_id uuid,
  p_code text,
  p_limit_account integer,
  p_limit_address integer,
  p_address inet default null,
  p_idempotency_key uuid default null,
  p_request_hash text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
  v_code public.codes;
  v_earlier jsonb;
  v_account_state jsonb;
  v_address_state jsonb;
  v_response jsonb;
begin
  v_user := public.lock_account(p_user_id);
  if v_user.id is null then
    return jsonb_build_object('outcome', 'user_not_found');
  end if;
  v_earlier := public.find_response(v_user.id, p_idempotency_key, 'redeem_code', p_request_hash);
  if v_earlier is not null then
    return v_earlier;
  end if;
  -- Also at the limit: it says nothing about codes that the account has not used.
  if exists (
    select from public.code_uses u join public.codes c on c.id = u.code_id where u.user_id = v_user.id and c.code = p_code
  ) then
    return jsonb_build_object(
      'outcome', 'repeated',
      'status_code', 200,
      'response', jsonb_build_object('success', true, 'credits_added', 0, 'credits_remaining', v_user.credits_remaining)
    );
  end if;

  -- Before the code is looked up, also for right ones: calls that race must not find more codes than the limits allow.
  v_account_state := public.rate_limit_state('code_guesses', v_user.id, null, p_limit_account, interval '1 hour');
  if not (v_account_state ->> 'allowed')::boolean then
    return jsonb_build_object('outcome', 'rate_limited', 'scope', 'account') || v_account_state;
  end if;
  if p_address is not null then
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('code_guesses ' || p_address::text, 0));
    v_address_state := public.rate_limit_state('code_guesses', null, p_address, p_limit_address, interval '1 hour');
    if not (v_address_state ->> 'allowed')::boolean then
      return jsonb_build_object('outcome', 'rate_limited', 'scope', 'address') || v_address_state;
    end if;
  end if;

  select * into v_code from public.codes where code = p_code for update;
  -- The time after the lock: the code may have expired while this call waited.
  if v_code.id is null
    or v_code.uses >= v_code.uses_max
    or (v_code.expires_at is not null and v_code.expires_at <= clock_timestamp())
  then
    insert into public.rate_limit_log (action, user_id, ip_address) values ('code_guesses', v_user.id, p_address);
    return jsonb_build_object('outcome', 'unusable')
      || v_account_state
      || jsonb_build_object('remaining', (v_account_state ->> 'remaining')::integer - 1);
  end if;

  update public.codes set uses = uses + 1 where id = v_code.id;
  insert into public.code_uses (code_id, user_id) values (v_code.id, v_user.id);
  v_response := jsonb_build_object(
    'success', true,
    'credits_added', v_code.credits,
    'credits_remaining', public.apply_credits(v_user.id, v_code.credits, 'code_redeemed', null, null)
  );
  if p_idempotency_key is not null then
    perform public.store_response(v_user.id, p_idempotency_key, 'redeem_code', p_request_hash, v_response);
  end if;
  return jsonb_build_object(
    'outcome', 'redeemed', 'status_code', 200, 'response', v_response, 'code_id', v_code.id, 'credits', v_code.credits
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/redeem_code.sql', '5ee5066f0a1453b1c39788f95cc061640623a5d4cb3bbf7a9a8478a8bfe6cf20')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/refuse_ledger_change.sql sha256:66bc28f21aa1d3dee4f321a9e33a132fcef6dba6dfbda66be891b1990aff5981
-- The ledger is append-only, also for the owner of the tables.
create or replace function public.refuse_ledger_change() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  raise exception 'rows of the ledger are only ever added' using errcode = 'insufficient_privilege';
end
$$;

create or replace trigger quota_log_only_grows
  before update or delete on public.quota_log
  for each row execute function public.refuse_ledger_change();

create or replace trigger quota_log_is_never_emptied
  before truncate on public.quota_log
  for each statement execute function public.refuse_ledger_change();

create or replace trigger lot_movements_only_grow
  before update or delete on public.lot_movements
  for each row execute function public.refuse_ledger_change();

create or replace trigger lot_movements_are_never_emptied
  before truncate on public.lot_movements
  for each statement execute function public.refuse_ledger_change();

insert into public.schema_history (name, hash) values ('procedures/credits/refuse_ledger_change.sql', '66bc28f21aa1d3dee4f321a9e33a132fcef6dba6dfbda66be891b1990aff5981')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/take_from_lot.sql sha256:45609fd0fe3a156f90164d6d5d2ff13625dec2869db396944c2892705f9a5e52
-- Takes credits out of one lot and notes which ledger row and generation they were for. Returns the amount.
create or replace function public.take_from_lot(p_lot_id uuid, p_amount integer, p_ledger_id uuid, p_job_id uuid)
returns integer
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.credit_lots set remaining = remaining - p_amount where id = p_lot_id;
  insert into public.lot_movements (lot_id, change, ledger_id, job_id) values (p_lot_id, -p_amount, p_ledger_id, p_job_id);
  return p_amount;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/take_from_lot.sql', '45609fd0fe3a156f90164d6d5d2ff13625dec2869db396944c2892705f9a5e52')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/take_from_lots.sql sha256:ffdf0631c93fcb73fec7b154366e71c28c22e45dd4286527fde141d371ca951c
-- Takes credits out of a user's lots: granted before purchased, expiring before lasting, oldest first; for a refund of a purchase, out of
-- the purchase's own lots first. Throws if the lots hold less. The caller holds the user's row lock and has written the ledger
-- row. `p_job_id`: the generation that they pay for.
create or replace function public.take_from_lots(
  p_user_id uuid,
  p_amount integer,
  p_ledger_id uuid,
  p_job_id uuid default null,
  p_purchase_id uuid default null
) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_left integer := p_amount;
  v_lot record;
begin
  if v_left <= 0 then
    return;
  end if;
  if p_purchase_id is not null then
    for v_lot in
      select id, remaining from public.credit_lots
      where purchase_id = p_purchase_id and user_id = p_user_id and is_open
      order by seq
    loop
      exit when v_left = 0;
      v_left := v_left - public.take_from_lot(v_lot.id, least(v_lot.remaining, v_left), p_ledger_id, p_job_id);
    end loop;
  end if;
  if v_left > 0 then
    for v_lot in
      select id, remaining from public.credit_lots
      where user_id = p_user_id and is_open
      order by is_purchased, expires_at, seq
    loop
      exit when v_left = 0;
      v_left := v_left - public.take_from_lot(v_lot.id, least(v_lot.remaining, v_left), p_ledger_id, p_job_id);
    end loop;
  end if;
  if v_left > 0 then
    raise exception 'the lots hold % credits less than the balance', v_left using errcode = 'check_violation';
  end if;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/take_from_lots.sql', 'ffdf0631c93fcb73fec7b154366e71c28c22e45dd4286527fde141d371ca951c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/begin_generation.sql sha256:131e8240c960b3735d87e2aa80e1c85e0aea0a141874f82ef517e47ec00742ae
-- Charges for one generation and starts it: replay, limits, price, charge, job, queue task, event and the idempotency record
-- are one transaction.
-- @returns {
--     outcome: 'created', status_code: number, response: Json, limit: number, remaining: number, reset_seconds: number
--   }
--   | {outcome: 'replayed', status_code: number, response: Json}
--   | {outcome: 'key_reused' | 'user_not_found' | 'banned' | 'model_unavailable'}
--   | {outcome: 'provider_unavailable', retry_seconds: number}
--   | {outcome: 'rate_limited', scope: 'in_flight', limit: number}
--   | {
--     outcome: 'rate_limited', scope: 'account' | 'address', limit: number, window_seconds: number, remaining: number,
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
  p_address inet default null
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
    deadline_at, media_path
  )
  values (
    v_job_id, p_user_id, v_model.id, v_model.name, v_model.provider, v_model.provider_model_id, p_prompt, p_settings,
    p_image_url, v_price, clock_timestamp() + make_interval(secs => p_deadline_seconds),
    p_user_id || '/' || to_char(now() at time zone 'utc', 'YYYY-MM') || '/' || v_job_id
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

insert into public.schema_history (name, hash) values ('procedures/generations/begin_generation.sql', '131e8240c960b3735d87e2aa80e1c85e0aea0a141874f82ef517e47ec00742ae')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/cancel_generation.sql sha256:546f8c513648d3c688c60c8042d2bd8d503641b91eef358888d8dae2a9cad3aa
-- Cancels a generation for its owner and refunds it. With a key, a repeat gets the first response. `final`: the job has ended,
-- or its video is made. The vendor bills what it has begun, so of jobs that were sent and not known as `p_is_begun` = false
-- only `p_limit_refunded` an hour are refunded to an account; null: no limit.
-- @returns {outcome: 'cancelled' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'key_reused' | 'not_found'}
--   | {outcome: 'final', status: string}
--   | {
--     outcome: 'rate_limited', limit: number, window_seconds: number, remaining: number, reset_seconds: number, allowed: boolean
--   }
create or replace function public.cancel_generation(
  p_user_id uuid,
  p_job_id uuid,
  p_idempotency_key uuid default null,
  p_request_hash text default null,
  p_limit_refunded integer default null,
  p_is_begun boolean default true
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs;
  v_earlier jsonb;
  v_state jsonb;
  v_response jsonb;
begin
  p_user_id := (public.lock_account(p_user_id)).id;
  v_earlier := public.find_response(p_user_id, p_idempotency_key, 'cancel_video_job', p_request_hash);
  if v_earlier is not null then
    return v_earlier;
  end if;

  select * into v_job
  from public.video_jobs
  where job_id = p_job_id and user_id = p_user_id and deleted_at is null
  for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  -- A provider that has made the video has billed it: nothing is left to cancel, and the video is being delivered.
  if v_job.completed_at is not null or public.is_made(p_job_id) then
    return jsonb_build_object('outcome', 'final', 'status', v_job.status);
  end if;
  if p_is_begun and exists (
    select from public.provider_attempts where job_id = p_job_id and state in ('submitting', 'accepted', 'unknown')
  ) then
    v_state := public.rate_limit_state('refunded_cancels', p_user_id, null, p_limit_refunded, interval '1 hour');
    if not (v_state ->> 'allowed')::boolean then
      return jsonb_build_object('outcome', 'rate_limited') || v_state;
    end if;
    insert into public.rate_limit_log (action, user_id) values ('refunded_cancels', p_user_id);
  end if;
  perform public.fail_generation(p_job_id, 'ERR_5004');

  select jsonb_build_object(
    'success', true, 'refunded', v_job.credits_used, 'credits_remaining', u.credits_remaining
  )
  into v_response
  from public.users u
  where u.id = p_user_id;
  if p_idempotency_key is not null then
    perform public.store_response(
      p_user_id, p_idempotency_key, 'cancel_video_job', p_request_hash, v_response, p_job_id
    );
  end if;
  return jsonb_build_object('outcome', 'cancelled', 'status_code', 200, 'response', v_response);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/cancel_generation.sql', '546f8c513648d3c688c60c8042d2bd8d503641b91eef358888d8dae2a9cad3aa')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/delete_generation.sql sha256:49bdf1ea61caa5b84c56dfb41c8d16beba74f0afd210a2bd2c21f0d9cc8d2f75
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
    perform public.schedule_cleanup(p_job_id);
  end if;
  return 'deleted';
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/delete_generation.sql', '49bdf1ea61caa5b84c56dfb41c8d16beba74f0afd210a2bd2c21f0d9cc8d2f75')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/lock_job.sql sha256:b8dc5b82f6890d39554da284c0f96bb54c16a64d4aea60b24a7528b8ebc937a2
-- Locks a job after its user, in the lock order, starting from the job's id alone. Null: there is no such job.
create or replace function public.lock_job(p_job_id uuid) returns public.video_jobs
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid;
  v_job public.video_jobs;
begin
  loop
    select user_id into v_user_id from public.video_jobs where job_id = p_job_id;
    if not found then
      return null;
    end if;
    perform from public.users where id = v_user_id for update;
    -- A merge may have moved the job to another account while this call waited. Its row is then not locked: the row of its new
    -- owner comes first.
    select * into v_job from public.video_jobs where job_id = p_job_id and user_id = v_user_id for update;
    exit when found;
  end loop;
  return v_job;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/lock_job.sql', 'b8dc5b82f6890d39554da284c0f96bb54c16a64d4aea60b24a7528b8ebc937a2')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/requeue_orphans.sql sha256:bbe038e4c3dbacbdd0d08c96515a98bc6588b8807f06559f5f5be83be5c7cd80
-- Requeues every unfinished job that has no queue task. A safety net: tasks are added in the transaction that makes them
-- necessary. Returns how many were requeued.
create or replace function public.requeue_orphans(p_limit integer default 100) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job record;
  v_count integer := 0;
begin
  for v_job in
    select j.job_id, case j.status when 'pending' then 'submit' else 'poll' end as task
    from public.video_jobs j
    where j.status in ('pending', 'processing')
      and j.deadline_at > now()
      and j.created_at < now() - interval '30 seconds'
      and not exists (
        select from graphile_worker.jobs q where q.key in ('submit:' || j.job_id, 'poll:' || j.job_id)
      )
      -- It is unknown whether the provider has this job: an event or the deadline decides.
      and not exists (
        select from public.provider_attempts a where a.job_id = j.job_id and a.state = 'unknown'
      )
    limit p_limit
  loop
    perform public.enqueue(
      v_job.task || '_generation', json_build_object('job_id', v_job.job_id), v_job.task || ':' || v_job.job_id
    );
    v_count := v_count + 1;
  end loop;
  -- The queue waits longer after each failure, up to hours; a paid generation cannot wait that long.
  perform graphile_worker.reschedule_jobs(array_agg(q.id), run_at := clock_timestamp(), attempts := 0)
  from graphile_worker.jobs q
  where q.task_identifier in ('submit_generation', 'poll_generation')
    and q.locked_at is null
    and q.attempts > 2
    and q.run_at > now() + interval '15 seconds'
  having count(*) > 0;
  return v_count;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/requeue_orphans.sql', 'bbe038e4c3dbacbdd0d08c96515a98bc6588b8807f06559f5f5be83be5c7cd80')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/limits/take_account_limit.sql sha256:79a31e3c32f58b7ee8c2a4e66122d88f40c96507b27c7357ae6dbb0bc2cc75a7
-- Takes one slot of an account's window, in a transaction of its own; of a merged guest, its survivor's. Null: there is no such account.
-- @returns {allowed: boolean, limit: number, window_seconds: number, remaining: number, reset_seconds: number} | null
create or replace function public.take_account_limit(
  p_action text,
  p_user_id uuid,
  p_limit integer,
  p_window_seconds integer
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
  v_state jsonb;
begin
  if v_user_id is null then
    return null;
  end if;
  v_state := public.rate_limit_state(p_action, v_user_id, null, p_limit, make_interval(secs => p_window_seconds));
  if (v_state ->> 'allowed')::boolean then
    insert into public.rate_limit_log (action, user_id) values (p_action, v_user_id);
    v_state := v_state || jsonb_build_object('remaining', (v_state ->> 'remaining')::integer - 1);
  end if;
  return v_state;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/limits/take_account_limit.sql', '79a31e3c32f58b7ee8c2a4e66122d88f40c96507b27c7357ae6dbb0bc2cc75a7')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/maintenance/prune_logs.sql sha256:2aa353894225a24dc8c66d2d87afea7377607e5246c9d689a103408c6d50564e
-- Deletes up to `p_limit` rows of each log whose retention has passed, the oldest first; never a user, a job or a ledger row.
-- Returns how many, by kind; the caller repeats it until no kind reaches the limit, so that no statement runs for long.
-- Rows that another call holds are left to the next time: a merge locks many of an account's, in an order of its own.
-- @returns {
--   rate_limit_rows: number, idempotency_keys: number, events: number, sessions: number, errors: number,
--   provider_events: number, apple_notifications: number, identity_tokens: number, alerts: number
-- }
create or replace function public.prune_logs(p_limit integer default 1000) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_rate_limit_rows integer;
  v_keys integer;
  v_events integer;
  v_sessions integer;
  v_errors integer;
  v_provider_events integer;
  v_apple_notifications integer;
  v_identity_tokens integer;
  v_alerts integer;
begin
  delete from public.rate_limit_log
  where id in (
    select id
    from public.rate_limit_log
    where created_at < now() - interval '7 days'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_rate_limit_rows = row_count;
  delete from public.idempotency_log
  where (user_id, idempotency_key) in (
    select user_id, idempotency_key
    from public.idempotency_log
    where expires_at < now()
    order by expires_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_keys = row_count;
  -- A stream resumes after the last event it sent; after a day the app reads the list again instead.
  delete from public.user_events
  where id in (
    select id
    from public.user_events
    where created_at < now() - interval '1 day'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_events = row_count;
  -- Kept for a month after the end, so that "session expired" and "no such session" remain two answers.
  delete from public.sessions
  where id in (
    select id
    from public.sessions
    where expires_at < now() - interval '30 days'
    order by expires_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_sessions = row_count;
  delete from public.error_log
  where id in (
    select id
    from public.error_log
    where created_at < now() - interval '90 days'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_errors = row_count;
  -- Vendors resend an event for hours at most.
  delete from public.provider_events
  where id in (
    select id
    from public.provider_events
    where created_at < now() - interval '30 days'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_provider_events = row_count;
  delete from public.apple_account_notifications
  where notification_id in (
    select notification_id
    from public.apple_account_notifications
    where created_at < now() - interval '90 days'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_apple_notifications = row_count;
  -- An expired token is refused by its own date.
  delete from public.used_identity_tokens
  where token_hash in (
    select token_hash
    from public.used_identity_tokens
    where expires_at < now() - interval '1 day'
    order by expires_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_identity_tokens = row_count;
  delete from public.alerts
  where id in (
    select id
    from public.alerts
    where created_at < now() - interval '90 days'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_alerts = row_count;
  return jsonb_build_object(
    'rate_limit_rows', v_rate_limit_rows,
    'idempotency_keys', v_keys,
    'events', v_events,
    'sessions', v_sessions,
    'errors', v_errors,
    'provider_events', v_provider_events,
    'apple_notifications', v_apple_notifications,
    'identity_tokens', v_identity_tokens,
    'alerts', v_alerts
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/maintenance/prune_logs.sql', '2aa353894225a24dc8c66d2d87afea7377607e5246c9d689a103408c6d50564e')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/purchases/credit_purchase.sql sha256:38ed6ac5cfe2710b50d146eea87dba04655d449b8ad816778d7b4df3f3baa3cd
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
  v_balance := public.apply_credits(
    v_user.id, v_credits::integer, 'iap_purchase', null, p_transaction_id, v_purchase.id
  );
  if v_balance is null then
    raise exception 'transaction % is in the ledger, but not among the purchases', p_transaction_id
      using errcode = 'unique_violation';
  end if;
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

insert into public.schema_history (name, hash) values ('procedures/purchases/credit_purchase.sql', '38ed6ac5cfe2710b50d146eea87dba04655d449b8ad816778d7b4df3f3baa3cd')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/purchases/finish_store_notification.sql sha256:37e7e25879323567762509481806474fc4ee4002cd426788a3035885dfa707cf
-- Notes what has followed from a notification.
create or replace function public.finish_store_notification(p_store text, p_notification_id text, p_outcome text) returns void
language sql
security definer
set search_path = ''
as $$
  update public.store_notifications
  set outcome = p_outcome, processed_at = clock_timestamp()
  where store = p_store and notification_id = p_notification_id
$$;

insert into public.schema_history (name, hash) values ('procedures/purchases/finish_store_notification.sql', '37e7e25879323567762509481806474fc4ee4002cd426788a3035885dfa707cf')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/purchases/lock_transaction.sql sha256:c28c9df5634395e5f34b133c58733035f0f5142a16c0bd9474c17fc004f8e46d
-- Until the end of this transaction, nobody else credits or refunds the store's transaction. Taken before any row lock.
create or replace function public.lock_transaction(p_store text, p_transaction_id text) returns void
language sql
security definer
set search_path = ''
as $$
  select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(p_store || ' ' || p_transaction_id, 0))
$$;

insert into public.schema_history (name, hash) values ('procedures/purchases/lock_transaction.sql', 'c28c9df5634395e5f34b133c58733035f0f5142a16c0bd9474c17fc004f8e46d')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/purchases/purchase_consumption.sql sha256:28dd356be55e6eda18d0e1992da922df4e331ba11951665cb51f658da4ecbe3c
-- How much of a purchase has been spent and not come back, running generations included. Null: it was never credited.
-- @returns {credits: number, consumed: number} | null
create or replace function public.purchase_consumption(p_store text, p_transaction_id text) returns jsonb
language sql
stable
security definer
set search_path = ''
as $$
  select jsonb_build_object(
    'credits', p.credits,
    'consumed', least(greatest(-coalesce(spent.change, 0), 0), p.credits)
  )
  from public.purchases p
  cross join lateral (
    -- Repaying a debt is spending, and so is paying for another purchase's refund; what its own refunds moved is not.
    select sum(m.change) as change
    from public.credit_lots l
    join public.lot_movements m on m.lot_id = l.id
    join public.quota_log q on q.id = m.ledger_id
    where l.purchase_id = p.id and (q.purchase_id is distinct from p.id or q.reason = 'iap_purchase')
  ) spent
  where p.store = p_store and p.transaction_id = p_transaction_id and p.credits > 0
$$;

insert into public.schema_history (name, hash) values ('procedures/purchases/purchase_consumption.sql', '28dd356be55e6eda18d0e1992da922df4e331ba11951665cb51f658da4ecbe3c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/purchases/record_store_notification.sql sha256:c75b6e6b1679bc32eb5fef5ea7c2a10a55e7e40d7c23e244f28a5a7aff146307
-- Records what a store has told us, once, and has the worker process it. `p_outcome`: it has no effect, and this is why; it is not
-- processed. False: it was recorded before.
create or replace function public.record_store_notification(
  p_store text,
  p_notification_id text,
  p_type text,
  p_signed_at timestamptz,
  p_payload text,
  p_subtype text default null,
  p_environment text default null,
  p_transaction_id text default null,
  p_outcome text default null
) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.store_notifications (
    store, notification_id, type, subtype, environment, transaction_id, signed_at, payload, outcome, processed_at
  )
  values (
    p_store, p_notification_id, p_type, p_subtype, p_environment, p_transaction_id, p_signed_at, p_payload, p_outcome,
    case when p_outcome is not null then clock_timestamp() end
  )
  on conflict (store, notification_id) do nothing;
  if not found then
    return false;
  end if;
  if p_outcome is null then
    perform public.schedule_store_notification(p_store, p_notification_id);
  end if;
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/purchases/record_store_notification.sql', 'c75b6e6b1679bc32eb5fef5ea7c2a10a55e7e40d7c23e244f28a5a7aff146307')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/purchases/refund_purchase.sql sha256:28e7dec971a4be121c1bd3db8e6b33ef86dea9057952bde819548622f2ce09c5
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
  return jsonb_build_object(
    'outcome', case when v_change < 0 then 'taken_back' else 'given_back' end,
    'user_id', v_purchase.user_id,
    'credits', abs(v_change),
    'credits_remaining', v_balance
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/purchases/refund_purchase.sql', '28e7dec971a4be121c1bd3db8e6b33ef86dea9057952bde819548622f2ce09c5')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/purchases/replay_store_notification.sql sha256:ced18b6863c520721f085eb6b8938b581bab52e68afdcd7b666909f4135c3ade
-- Has the worker process a notification once more. False: there is none with this id.
create or replace function public.replay_store_notification(p_store text, p_notification_id text) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.store_notifications
  set outcome = null, processed_at = null
  where store = p_store and notification_id = p_notification_id and payload is not null;
  if not found then
    return false;
  end if;
  perform public.schedule_store_notification(p_store, p_notification_id);
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/purchases/replay_store_notification.sql', 'ced18b6863c520721f085eb6b8938b581bab52e68afdcd7b666909f4135c3ade')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/purchases/schedule_store_notification.sql sha256:09f7ed0fa28786ad8a37bc7730d42113cc7f567d0387cd79da20b36d72bbfcff
-- Has the worker process a recorded notification.
create or replace function public.schedule_store_notification(p_store text, p_notification_id text) returns void
language sql
security definer
set search_path = ''
as $$
  select public.enqueue(
    'process_store_notification',
    json_build_object('store', p_store, 'notification_id', p_notification_id),
    'notification:' || p_store || ':' || p_notification_id
  )
$$;

insert into public.schema_history (name, hash) values ('procedures/purchases/schedule_store_notification.sql', '09f7ed0fa28786ad8a37bc7730d42113cc7f567d0387cd79da20b36d72bbfcff')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/admit_upload.sql sha256:7fba625afc724c2f2a8ccccd19faf657176e850280f8eca6d1b70f938690ce8e
-- Whether an account may upload so many bytes to this path now. A guest whose device Apple has not verified may keep less.
-- @returns {outcome: 'admitted'}
--   | {outcome: 'exists' | 'user_not_found' | 'banned'}
--   | {outcome: 'full', pictures_max: number, bytes_max: number}
create or replace function public.admit_upload(
  p_user_id uuid,
  p_path text,
  p_bytes integer,
  p_upsert boolean,
  p_pictures_max integer,
  p_bytes_max bigint,
  p_bytes_max_unproven bigint
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
  v_bytes_max bigint := p_bytes_max;
  v_pictures integer;
  v_bytes bigint;
begin
  p_user_id := public.survivor_of(p_user_id);
  select * into v_user from public.users where id = p_user_id and deleted_at is null;
  if not found then
    return jsonb_build_object('outcome', 'user_not_found');
  end if;
  if exists (select from public.user_bans where user_id = p_user_id) then
    return jsonb_build_object('outcome', 'banned');
  end if;
  if not p_upsert and exists (select from public.uploads where path = p_path) then
    return jsonb_build_object('outcome', 'exists');
  end if;
  if v_user.is_guest and not exists (select from public.proven_devices where user_id = p_user_id) then
    v_bytes_max := least(p_bytes_max, p_bytes_max_unproven);
  end if;

  -- Unfinished uploads count too, so that concurrent uploads do not exceed the limit; the one that is replaced does not.
  select count(*), coalesce(sum(bytes), 0) into v_pictures, v_bytes
  from public.uploads
  where user_id = p_user_id and path <> p_path;
  if v_pictures >= p_pictures_max or v_bytes + p_bytes > v_bytes_max then
    return jsonb_build_object('outcome', 'full', 'pictures_max', p_pictures_max, 'bytes_max', v_bytes_max);
  end if;
  return jsonb_build_object('outcome', 'admitted');
end
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/admit_upload.sql', '7fba625afc724c2f2a8ccccd19faf657176e850280f8eca6d1b70f938690ce8e')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/begin_upload.sql sha256:6af57a37d2a6aa90699d99897623d6dcc868def33197f421e7e8ae1899514aa7
-- Creates the row of a file that is not stored yet. Every version of an upload is a row and a file of its own, named by its id,
-- so that two writers of one path never touch each other's file. Owners see rows with stored_at. A row without it is being
-- stored or deleted; its path, `<user_id>/~<id>`, is a name that no caller can use.
-- `file`: the key of the file in the media store.
-- @returns {outcome: 'begun', id: string, file: string}
--   | {outcome: 'exists' | 'user_not_found' | 'banned'}
--   | {outcome: 'full', pictures_max: number, bytes_max: number}
create or replace function public.begin_upload(
  p_user_id uuid,
  p_path text,
  p_content_type text,
  p_bytes integer,
  p_width integer,
  p_height integer,
  p_sha256 text,
  p_upsert boolean,
  p_pictures_max integer,
  p_bytes_max bigint,
  -- Null from servers of the previous version.
  p_bytes_max_unproven bigint default null,
  p_metadata jsonb default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id uuid := gen_random_uuid();
  v_file text;
  v_admitted jsonb;
begin
  -- Uploads of one account are admitted one after another, so that together they do not exceed its limit.
  p_user_id := coalesce((public.lock_account(p_user_id)).id, p_user_id);
  v_admitted := public.admit_upload(
    p_user_id, p_path, p_bytes, p_upsert, p_pictures_max, p_bytes_max, coalesce(p_bytes_max_unproven, p_bytes_max)
  );
  if v_admitted ->> 'outcome' <> 'admitted' then
    return v_admitted;
  end if;

  v_file := 'user_uploads/' || p_user_id || '/' || v_id || '.' || case p_content_type
    when 'image/jpeg' then 'jpg'
    when 'image/png' then 'png'
    else 'webp'
  end;
  insert into public.uploads (id, user_id, path, file, content_type, bytes, width, height, sha256, metadata)
  values (
    v_id, p_user_id, p_user_id || '/~' || v_id, v_file, p_content_type, p_bytes, p_width, p_height, p_sha256, p_metadata
  );
  return jsonb_build_object('outcome', 'begun', 'id', v_id, 'file', v_file);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/begin_upload.sql', '6af57a37d2a6aa90699d99897623d6dcc868def33197f421e7e8ae1899514aa7')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/expire_uploads.sql sha256:f61931be481d70c5bb795f6594137a46943157cb09da7bcd6b45a29e0cd38b46
-- Hides uploads that were neither used nor written for `p_unused_days` days, the oldest first. Returns how many.
create or replace function public.expire_uploads(p_unused_days integer, p_limit integer) returns integer
language sql
security definer
set search_path = ''
as $$
  with unused as (
    select u.id
    from public.uploads u
    where u.stored_at is not null
      and u.updated_at < now() - make_interval(days => p_unused_days)
      and not exists (
        select from public.video_jobs j
        where j.user_id = u.user_id
          and j.image_url = u.path
          and (j.completed_at is null or j.created_at > now() - make_interval(days => p_unused_days))
      )
    order by u.updated_at
    limit p_limit
    for update skip locked
  ), hidden as (
    update public.uploads u
    set path = u.user_id || '/~' || u.id, stored_at = null, updated_at = clock_timestamp()
    from unused
    where u.id = unused.id
    returning 1
  )
  select count(*)::integer from hidden
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/expire_uploads.sql', 'f61931be481d70c5bb795f6594137a46943157cb09da7bcd6b45a29e0cd38b46')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/finish_upload.sql sha256:a61e5dcfb6b7330386d42817d2a71bbeee9798b6830d7c4a19eae86345bb2b11
-- The file is stored: gives its row the path. `replaced`: the previous version, whose file may be deleted. `exists`: another
-- upload was first, and replacing was not allowed. `gone`: the upload was removed meanwhile.
-- @returns {outcome: 'stored', replaced: UploadRow | null} | {outcome: 'exists' | 'gone'}
create or replace function public.finish_upload(p_id uuid, p_path text, p_upsert boolean) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid;
  v_upload public.uploads;
  v_before public.uploads;
begin
  loop
    v_user_id := (public.lock_account((select user_id from public.uploads where id = p_id))).id;
    -- The account was deleted, or the upload removed.
    if v_user_id is null then
      return jsonb_build_object('outcome', 'gone');
    end if;
    select * into v_upload from public.uploads where id = p_id and user_id = v_user_id for update;
    exit when found;
    -- It was removed, or a merge has given it to another account, while this call waited.
  end loop;
  if v_upload.stored_at is not null then
    return jsonb_build_object('outcome', 'stored', 'replaced', null);
  end if;

  select * into v_before from public.uploads where path = p_path for update;
  if found and not p_upsert then
    return jsonb_build_object('outcome', 'exists');
  end if;
  update public.uploads
  set path = user_id || '/~' || id, stored_at = null, updated_at = clock_timestamp()
  where id = v_before.id;
  update public.uploads
  set
    path = p_path,
    stored_at = clock_timestamp(),
    created_at = coalesce(v_before.created_at, created_at),
    updated_at = clock_timestamp()
  where id = p_id;
  return jsonb_build_object('outcome', 'stored', 'replaced', case when v_before.id is null then null else to_jsonb(v_before) end);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/finish_upload.sql', 'a61e5dcfb6b7330386d42817d2a71bbeee9798b6830d7c4a19eae86345bb2b11')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/forget_uploads.sql sha256:2a4fd49357b0609d4d6359401bfc9fd04c3ccb0431d6f7a888c4b2f507d1ec9b
-- Deletes the rows of uploads whose files are not, or no longer, in the store. Rows that are in use stay. Returns how many
-- were deleted.
create or replace function public.forget_uploads(p_ids jsonb) returns integer
language sql
security definer
set search_path = ''
as $$
  with theirs as (
    -- Locked in one order, so that this and a merge never wait for each other.
    select id
    from public.uploads
    where id = any (array(select jsonb_array_elements_text(p_ids)::uuid)) and stored_at is null
    order by id
    for update
  ), forgotten as (
    delete from public.uploads
    where id in (select id from theirs)
    returning 1
  )
  select count(*)::integer from forgotten
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/forget_uploads.sql', '2a4fd49357b0609d4d6359401bfc9fd04c3ccb0431d6f7a888c4b2f507d1ec9b')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/remove_uploads.sql sha256:a5d99636efc95b76454b2a39e1ab2617d5016ddf582fb9d7c52ef496fa1fc55f
-- Hides uploads from their owner; the caller deletes the files and then the rows. Unknown paths are ignored. Returns the rows
-- as they were before.
-- @returns UploadRow[]
-- @type UploadRow {
--   id: string, user_id: string, path: string, file: string, content_type: string, bytes: number, width: number,
--   height: number, sha256: string, created_at: string, updated_at: string, stored_at: string | null,
--   metadata: unknown
-- }
create or replace function public.remove_uploads(p_user_id uuid, p_paths jsonb) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  -- Before the uploads are looked up, so that none is missed that a merge moves meanwhile.
  v_user_id uuid := (public.lock_account(p_user_id)).id;
  v_removed jsonb;
begin
  with theirs as (
    select *
    from public.uploads
    where user_id = v_user_id
      and stored_at is not null
      and path in (select jsonb_array_elements_text(p_paths))
    order by id
    for update
  ), hidden as (
    update public.uploads u
    set path = u.user_id || '/~' || u.id, stored_at = null, updated_at = clock_timestamp()
    from theirs
    where u.id = theirs.id
  )
  select coalesce(jsonb_agg(to_jsonb(theirs) order by path), '[]') into v_removed from theirs;
  return v_removed;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/remove_uploads.sql', 'a5d99636efc95b76454b2a39e1ab2617d5016ddf582fb9d7c52ef496fa1fc55f')
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

-- source: grants.sql sha256:4a2fc0c9abdf8cd3207c72e8f0c2774506482656950ee2651cedbd74f3e2a7c1
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
  public.money_violations, public.alerts, public.credit_totals
from public, anon, authenticated, service_role, rendio_server;

revoke all on sequence
  public.video_jobs_seq_seq, public.quota_log_seq_seq, public.user_events_id_seq, public.rate_limit_log_id_seq,
  public.error_log_id_seq, public.admin_actions_id_seq, public.provider_events_id_seq, public.purchases_seq_seq,
  public.store_notifications_seq_seq, public.codes_seq_seq, public.credit_lots_seq_seq, public.lot_movements_id_seq
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
  public.mark_alert_sent, public.raise_alert
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
  public.money_violations, public.alerts, public.credit_totals
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
  public.raise_alert, public.mark_alert_sent
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

insert into public.schema_history (name, hash) values ('grants.sql', '4a2fc0c9abdf8cd3207c72e8f0c2774506482656950ee2651cedbd74f3e2a7c1')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: seed/products.sql sha256:cc0a00056ef3a2eb01812a66557e5e4af6e69372f199c08f8a6ef13cb9c931f7
-- What is for sale at first: the product ids of the App Store, and a price for the web shop. Existing rows do not change: an
-- administrator may have edited them.
insert into public.products (product_id, display_name, credits, web_price_cents)
values
  ('com.rendio.credits.10', '10 credits', 10, 299),
  ('com.rendio.credits.50', '50 credits', 50, 1199),
  ('com.rendio.credits.100', '100 credits', 100, 1999),
  ('com.rendioai.credits.starter.25', 'Starter: 25 credits', 25, 699),
  ('com.rendioai.credits.popular.60', 'Popular: 60 credits', 60, 1399),
  ('com.rendioai.credits.best.150', 'Best value: 150 credits', 150, 2899)
on conflict (product_id) do nothing;

insert into public.schema_history (name, hash) values ('seed/products.sql', 'cc0a00056ef3a2eb01812a66557e5e4af6e69372f199c08f8a6ef13cb9c931f7')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

reset check_function_bodies;

insert into public.schema_history (name, hash) values ('behaviour', '20261129000010')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
