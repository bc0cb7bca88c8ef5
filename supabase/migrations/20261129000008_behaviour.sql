-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: procedures/accounts/complete_initial_grant.sql, procedures/accounts/create_anonymous_user.sql, procedures/accounts/current_user_folders.sql, procedures/accounts/current_user_id.sql, procedures/accounts/delete_account.sql, procedures/accounts/erase_account.sql, procedures/accounts/forget_apple_revocation.sql, procedures/accounts/ids_of_account.sql, procedures/accounts/link_apple_identity.sql, procedures/accounts/lock_account.sql, procedures/accounts/lock_apple_sub.sql, procedures/accounts/merge_guest.sql, procedures/accounts/move_balance.sql, procedures/accounts/open_device_session.sql, procedures/accounts/open_session.sql, procedures/accounts/record_apple_identity.sql, procedures/accounts/record_apple_notification.sql, procedures/accounts/redact.sql, procedures/accounts/redact_notes.sql, procedures/accounts/revoke_sessions.sql, procedures/accounts/rotate_session.sql, procedures/accounts/schedule_apple_revocation.sql, procedures/accounts/sign_in_with_apple.sql, procedures/accounts/store_apple_token.sql, procedures/accounts/survivor_of.sql, procedures/accounts/update_profile.sql, procedures/accounts/update_user_metadata.sql, procedures/credits/add_credits.sql, procedures/credits/apply_credits.sql, procedures/credits/broken_invariants.sql, procedures/credits/deduct_credits.sql, procedures/generations/begin_generation.sql, procedures/generations/cancel_generation.sql, procedures/generations/delete_generation.sql, procedures/generations/lock_job.sql, procedures/generations/requeue_orphans.sql, procedures/maintenance/prune_logs.sql, procedures/storage/admit_upload.sql, procedures/storage/begin_upload.sql, procedures/storage/expire_uploads.sql, procedures/storage/finish_upload.sql, procedures/storage/forget_uploads.sql, procedures/storage/remove_uploads.sql, grants-hosted.sql, grants.sql

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

-- source: procedures/accounts/erase_account.sql sha256:6775cba1b2c2de70f8a32b372a445400d77709d92eca8da3edcda3cadcf15271
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
  delete from public.proven_devices where user_id = any (v_ids);
  return v_sum;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/erase_account.sql', '6775cba1b2c2de70f8a32b372a445400d77709d92eca8da3edcda3cadcf15271')
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

-- source: procedures/accounts/merge_guest.sql sha256:094dd938db955bd0347fead386d7678bbaccb5069a090a3b1d36e7517d7cd973
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

insert into public.schema_history (name, hash) values ('procedures/accounts/merge_guest.sql', '094dd938db955bd0347fead386d7678bbaccb5069a090a3b1d36e7517d7cd973')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/move_balance.sql sha256:8e7d2925a779c26f4cd0d2cb86055fd0f4060106554de868f927a9218eaa47c2
-- Moves a merged guest's balance, which may be a debt, and its lifetime credits to the survivor. The caller holds both row locks
-- and has moved the guest's events.
create or replace function public.move_balance(p_guest_id uuid, p_survivor_id uuid) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_balance integer;
  v_total integer;
begin
  select credits_remaining, credits_total into v_balance, v_total from public.users where id = p_guest_id;
  if v_balance <> 0 then
    perform public.apply_credits(p_guest_id, -v_balance, 'account_merge', null, null);
    perform public.apply_credits(p_survivor_id, v_balance, 'account_merge', null, null);
  end if;
  -- That the guest's is 0 now is no event: its streams have ended.
  delete from public.user_events where user_id = p_guest_id;
  update public.users set credits_total = 0 where id = p_guest_id;
  update public.users set credits_total = credits_total + v_total where id = p_survivor_id;
  update public.merged_users set credits_total = credits_total + v_total where user_id = p_guest_id;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/move_balance.sql', '8e7d2925a779c26f4cd0d2cb86055fd0f4060106554de868f927a9218eaa47c2')
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

-- source: procedures/credits/add_credits.sql sha256:f4b7b39f9c857ead05cc348d0252ad9f2460dfe893b15817ca856b874c0707dc
-- Adds credits for a reason, to the survivor of a merged guest. With a transaction id, they are added at most once.
-- @returns {success: true, credits_added: number, credits_remaining: number}
--   | {success: false, error: 'Invalid amount' | 'User not found' | 'Transaction already processed'}
create or replace function public.add_credits(
  p_user_id uuid,
  p_amount integer,
  p_reason text,
  p_transaction_id text default null,
  p_job_id uuid default null
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

  v_balance := public.apply_credits(v_user.id, p_amount, p_reason, p_job_id, p_transaction_id);
  if v_balance is null then
    return jsonb_build_object('success', false, 'error', 'Transaction already processed');
  end if;

  return jsonb_build_object('success', true, 'credits_added', p_amount, 'credits_remaining', v_balance);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/add_credits.sql', 'f4b7b39f9c857ead05cc348d0252ad9f2460dfe893b15817ca856b874c0707dc')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/apply_credits.sql sha256:e775fd0f010fc837bc083c4af5b3afc82270b751ec51e017c6523f10b159423f
-- The only procedure that writes users.credits_remaining and quota_log: one ledger row, the balance that follows from it, and an
-- event. (move_balance carries users.credits_total over.) Null: p_transaction_id was used before. The caller holds the user's row lock and has
-- checked the amount.
create or replace function public.apply_credits(
  p_user_id uuid,
  p_change integer,
  p_reason text,
  p_job_id uuid,
  p_transaction_id text
) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id uuid;
  v_balance integer;
begin
  insert into public.quota_log (user_id, job_id, change, reason, transaction_id, balance_after)
  select p_user_id, p_job_id, p_change, p_reason, p_transaction_id, u.credits_remaining + p_change
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
  where id = p_user_id;

  perform public.emit_event(
    p_user_id,
    'credits',
    p_job_id,
    -- The ledger row's id, by which an app recognises the same row in the history.
    jsonb_build_object('credits_remaining', v_balance, 'change', p_change, 'reason', p_reason, 'transaction_id', v_id)
  );
  return v_balance;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/apply_credits.sql', 'e775fd0f010fc837bc083c4af5b3afc82270b751ec51e017c6523f10b159423f')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/broken_invariants.sql sha256:3b9e5c6c273194f8ece1d9caa5854f634449d89fcd9c669a59a7f1cec937dd84
-- Every violation of a money rule that the rows of some users show: of those with `p_after` < id <= `p_until`; null: no bound.
-- No rows when all rules hold. One range of users costs the same however many others there are, so that a check of the whole
-- database is made of short statements.
create or replace function public.broken_invariants(p_after uuid default null, p_until uuid default null)
returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
-- A plan for any range would read the whole tables.
set plan_cache_mode = force_custom_plan
as $$
declare
  v_after uuid := coalesce(p_after, '00000000-0000-0000-0000-000000000000');
  v_until uuid := coalesce(p_until, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
begin
  return query
  select 'a balance equals the sum of its ledger rows', u.id,
    jsonb_build_object('balance', u.credits_remaining, 'sum', coalesce(l.total, 0))
  from public.users u
  left join (
    select q.user_id, sum(q.change) as total
    from public.quota_log q
    where q.user_id > v_after and q.user_id <= v_until
    group by q.user_id
  ) l on l.user_id = u.id
  where u.id > v_after and u.id <= v_until and u.credits_remaining <> coalesce(l.total, 0);

  return query
  select 'every row carries the balance after it', r.user_id,
    jsonb_build_object('row', r.id, 'balance_after', r.balance_after, 'sum', r.running)
  from (
    select q.user_id, q.id, q.balance_after, sum(q.change) over (partition by q.user_id order by q.seq) as running
    from public.quota_log q
    where q.user_id > v_after and q.user_id <= v_until
  ) r
  where r.balance_after <> r.running;

  return query
  with jobs as materialized (
    -- Each half has an index of its own.
    select j.job_id, j.user_id, j.status, j.credits_used
    from public.video_jobs j
    where j.deleted_at is null and j.user_id > v_after and j.user_id <= v_until
    union all
    select j.job_id, j.user_id, j.status, j.credits_used
    from public.video_jobs j
    where j.deleted_at is not null and j.user_id > v_after and j.user_id <= v_until
  ), compared as (
    select j.*, m.*
    from jobs j
    cross join lateral (
      select
        count(*) filter (where q.reason = 'video_generation' and c.is_its_owners) as charges,
        -coalesce(sum(q.change) filter (where q.reason = 'video_generation' and c.is_its_owners), 0) as charged,
        count(*) filter (where q.reason = 'generation_failed_refund') as refunds,
        coalesce(sum(q.change) filter (where q.reason = 'generation_failed_refund'), 0) as refunded
      from public.quota_log q
      cross join lateral (
        -- A merged guest's charges stay in its ledger, while its jobs are the survivor's.
        select q.user_id = j.user_id or exists (
          select from public.merged_users g where g.user_id = q.user_id and g.survivor_id = j.user_id
        ) as is_its_owners
      ) c
      where q.job_id = j.job_id
    ) m
  )
  select 'a generation has one charge, of its price', c.job_id,
    jsonb_build_object('credits_used', c.credits_used, 'charged', c.charged, 'charges', c.charges)
  from compared c
  where c.charges <> 1 or c.charged <> c.credits_used
  union all
  select 'a failed generation has its credits back, once, and no other has', c.job_id,
    jsonb_build_object('status', c.status, 'refunds', c.refunds, 'refunded', c.refunded)
  from compared c
  where (c.status = 'failed' and (c.refunds <> 1 or c.refunded <> c.credits_used))
    or (c.status <> 'failed' and c.refunds <> 0);

  return query
  select 'the lifetime total counts grants and purchases', u.id,
    jsonb_build_object('credits_total', u.credits_total, 'sum', coalesce(l.earned, 0), 'merged', m.total)
  from public.users u
  left join (
    select q.user_id,
      sum(q.change) filter (
        where q.reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed')
      ) as earned
    from public.quota_log q
    where q.user_id > v_after and q.user_id <= v_until
    group by q.user_id
  ) l on l.user_id = u.id
  left join (
    select g.survivor_id, sum(g.credits_total) as credits_total
    from public.merged_users g
    where g.survivor_id > v_after and g.survivor_id <= v_until
    group by g.survivor_id
  ) arrived on arrived.survivor_id = u.id
  left join public.merged_users gone on gone.user_id = u.id
  cross join lateral (
    select coalesce(arrived.credits_total, 0) - coalesce(gone.credits_total, 0) as total
  ) m
  where u.id > v_after and u.id <= v_until
    and u.credits_total <> coalesce(l.earned, 0) + m.total;

  return query
  select 'a merged guest keeps nothing', g.user_id,
    jsonb_build_object('survivor', g.survivor_id, 'balance', u.credits_remaining, 'deleted_at', u.deleted_at)
  from public.merged_users g
  left join public.users u on u.id = g.user_id
  where g.user_id > v_after and g.user_id <= v_until
    and (
      u.id is null
      or u.deleted_at is null
      or u.credits_remaining <> 0
      or exists (select from public.job_counters c where c.user_id = g.user_id and c.jobs <> 0)
    );

  return query
  select 'a merge moves what it takes', s.id, jsonb_build_object('arrived', m.arrived, 'left', m.gone)
  from (
    select distinct survivor_id as id from public.merged_users where survivor_id > v_after and survivor_id <= v_until
  ) s
  cross join lateral (
    select
      coalesce((select sum(change) from public.quota_log where user_id = s.id and reason = 'account_merge'), 0) as arrived,
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

  return query
  select 'job counters say what the jobs say', coalesce(k.user_id, n.user_id),
    jsonb_build_object('status', coalesce(k.status, n.status), 'kept', k.jobs, 'counted', n.jobs)
  from (
    select c.* from public.job_counters c where c.user_id > v_after and c.user_id <= v_until
  ) k
  full join (
    select j.user_id, j.status, count(*) as jobs
    from public.video_jobs j
    where j.deleted_at is null and j.user_id > v_after and j.user_id <= v_until
    group by j.user_id, j.status
  ) n on n.user_id = k.user_id and n.status = k.status
  where coalesce(k.jobs, 0) <> coalesce(n.jobs, 0);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/broken_invariants.sql', '3b9e5c6c273194f8ece1d9caa5854f634449d89fcd9c669a59a7f1cec937dd84')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/deduct_credits.sql sha256:68c5ceb32ebc0a8cfdbb08474d34453bd1ceabdc3701d63b6db288c2844dd2e7
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

insert into public.schema_history (name, hash) values ('procedures/credits/deduct_credits.sql', '68c5ceb32ebc0a8cfdbb08474d34453bd1ceabdc3701d63b6db288c2844dd2e7')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/begin_generation.sql sha256:546b1f9c4c99989a9c62c50048a0a0388093ae6c7ca365334e0c6f825250568a
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

insert into public.schema_history (name, hash) values ('procedures/generations/begin_generation.sql', '546b1f9c4c99989a9c62c50048a0a0388093ae6c7ca365334e0c6f825250568a')
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

-- source: procedures/maintenance/prune_logs.sql sha256:0fb8242023bbc65284199cd2b4bcdaa875510f5c20a2f7839071c04065e9f328
-- Deletes up to `p_limit` rows of each log whose retention has passed, the oldest first; never a user, a job or a ledger row.
-- Returns how many, by kind; the caller repeats it until no kind reaches the limit, so that no statement runs for long.
-- Rows that another call holds are left to the next time: a merge locks many of an account's, in an order of its own.
-- @returns {
--   rate_limit_rows: number, idempotency_keys: number, events: number, sessions: number, errors: number,
--   provider_events: number, apple_notifications: number, identity_tokens: number
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
  return jsonb_build_object(
    'rate_limit_rows', v_rate_limit_rows,
    'idempotency_keys', v_keys,
    'events', v_events,
    'sessions', v_sessions,
    'errors', v_errors,
    'provider_events', v_provider_events,
    'apple_notifications', v_apple_notifications,
    'identity_tokens', v_identity_tokens
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/maintenance/prune_logs.sql', '0fb8242023bbc65284199cd2b4bcdaa875510f5c20a2f7839071c04065e9f328')
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

-- source: grants.sql sha256:d99414afd483725588018530c2051c8eff2c4d9bd4d28f64d5478a98476d7ba4
-- Privileges. Applied again after every change in db/, so that it also revokes what is no longer granted.
-- rendio_server: the API and the worker. anon, authenticated: users, through PostgREST and Realtime. service_role: nothing here;
-- named because hosted databases grant everything to it (and to the other two) by default.

revoke all on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings, public.proven_devices,
  public.merged_users, public.apple_identities, public.used_identity_tokens, public.apple_tokens, public.apple_revocations,
  public.apple_account_notifications, public.user_metadata
from public, anon, authenticated, service_role, rendio_server;

revoke all on sequence
  public.video_jobs_seq_seq, public.quota_log_seq_seq, public.user_events_id_seq, public.rate_limit_log_id_seq,
  public.error_log_id_seq, public.admin_actions_id_seq, public.provider_events_id_seq
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
  public.withdraw_initial_grant
from public, anon, authenticated, service_role, rendio_server;

grant usage on schema public to rendio_server, anon, authenticated;

-- The server may read everything, and write only through these procedures.
grant select on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings, public.proven_devices,
  public.merged_users, public.apple_identities, public.used_identity_tokens, public.apple_tokens, public.apple_revocations,
  public.apple_account_notifications, public.user_metadata
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
  public.update_user_metadata, public.withdraw_initial_grant
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

insert into public.schema_history (name, hash) values ('grants.sql', 'd99414afd483725588018530c2051c8eff2c4d9bd4d28f64d5478a98476d7ba4')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

reset check_function_bodies;

insert into public.schema_history (name, hash) values ('behaviour', '20261129000008')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
