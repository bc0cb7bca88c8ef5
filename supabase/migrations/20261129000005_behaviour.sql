-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: roles.sql, procedures/accounts/claim_initial_grant.sql, procedures/accounts/complete_initial_grant.sql, procedures/accounts/onboard_device.sql, procedures/accounts/open_device_session.sql, procedures/accounts/open_session.sql, procedures/accounts/rotate_session.sql, procedures/accounts/update_profile.sql, procedures/accounts/withdraw_initial_grant.sql, procedures/catalogue/generation_price.sql, procedures/catalogue/keep_default_price.sql, procedures/credits/add_credits.sql, procedures/credits/apply_credits.sql, procedures/credits/broken_invariants.sql, procedures/credits/deduct_credits.sql, procedures/credits/refuse_ledger_change.sql, procedures/generations/admit_to_provider.sql, procedures/generations/begin_attempt.sql, procedures/generations/begin_generation.sql, procedures/generations/cancel_generation.sql, procedures/generations/close_attempt.sql, procedures/generations/confirm_attempt.sql, procedures/generations/count_jobs.sql, procedures/generations/delete_generation.sql, procedures/generations/end_attempt.sql, procedures/generations/fail_attempt.sql, procedures/generations/fail_generation.sql, procedures/generations/finish_generation.sql, procedures/generations/guard_job_state.sql, procedures/generations/is_made.sql, procedures/generations/lock_job.sql, procedures/generations/mark_submitted.sql, procedures/generations/record_progress.sql, procedures/generations/record_provider_event.sql, procedures/generations/record_provider_outcome.sql, procedures/generations/requeue_orphans.sql, procedures/generations/schedule_cleanup.sql, procedures/generations/schedule_confirmation.sql, procedures/generations/schedule_poll.sql, procedures/generations/schedule_submit.sql, procedures/idempotency/find_response.sql, procedures/idempotency/store_response.sql, procedures/limits/cleanup_rate_limit_logs.sql, procedures/limits/rate_limit_state.sql, procedures/limits/take_rate_limit.sql, procedures/maintenance/log_error.sql, procedures/maintenance/prune_logs.sql, procedures/notifications/announce_stream.sql, procedures/notifications/emit_event.sql, procedures/notifications/notify_access_change.sql, procedures/previous_version.sql, procedures/queue/enqueue.sql, procedures/storage/admit_upload.sql, procedures/storage/adopt_media_store.sql, procedures/storage/begin_upload.sql, procedures/storage/expire_uploads.sql, procedures/storage/finish_upload.sql, procedures/storage/forget_uploads.sql, procedures/storage/remove_uploads.sql, grants-queue.sql, grants-hosted.sql, grants-policies.sql, grants.sql, seed/catalogue.sql

set check_function_bodies = off;

-- source: roles.sql sha256:37cacb9f386c50c29e20f724bb15262bcae1c052bc95237c5d1c0399e5194175
-- The roles that grants and policies name, created wherever they are missing: roles belong to the cluster and are not part of a
-- database's dump.
do $$
declare
  v_role text;
begin
  foreach v_role in array array['rendio_server', 'anon', 'authenticated', 'service_role'] loop
    -- Another database's migration may create it at the same moment.
    begin
      if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
        execute format('create role %I nologin noinherit', v_role);
      end if;
    exception
      when duplicate_object or unique_violation then null;
    end;
  end loop;
end
$$;

insert into public.schema_history (name, hash) values ('roles.sql', '37cacb9f386c50c29e20f724bb15262bcae1c052bc95237c5d1c0399e5194175')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/claim_initial_grant.sql sha256:9900c1006640294d547e261b9263c07f7b59c856393847f28555b2cf6da9d3ae
-- Opens a claim to a device's grant before the device is marked at Apple. False: the account has had its grant, or is deleted.
-- @returns boolean
create or replace function public.claim_initial_grant(p_user_id uuid) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform from public.users where id = p_user_id and deleted_at is null and not initial_grant_claimed for update;
  if not found then
    return false;
  end if;
  insert into public.device_grants (user_id, state)
  values (p_user_id, 'claiming')
  on conflict (user_id) do update set state = 'claiming', settled_at = null
  where public.device_grants.state <> 'granted';
  return found;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/claim_initial_grant.sql', '9900c1006640294d547e261b9263c07f7b59c856393847f28555b2cf6da9d3ae')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/complete_initial_grant.sql sha256:0577189ffe00006aabc8291558cdbcad15d64f762ee5a4056097a1bc7905d834
-- Adds the credits of a grant that Apple has recorded, once. The amount is the operator's setting, not an argument.
-- Returns the balance; null if the account has no open claim, or is deleted.
-- @returns number | null
create or replace function public.complete_initial_grant(p_user_id uuid) returns integer
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform from public.users where id = p_user_id and deleted_at is null for update;
  if not found then
    return null;
  end if;
  update public.device_grants
  set state = 'granted', settled_at = clock_timestamp()
  where user_id = p_user_id and state = 'claiming';
  if not found then
    return null;
  end if;
  update public.users set initial_grant_claimed = true, updated_at = now() where id = p_user_id;
  return (
    public.add_credits(
      p_user_id, (select initial_grant_credits from public.settings), 'initial_grant', 'initial_grant:' || p_user_id
    ) ->> 'credits_remaining'
  )::integer;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/complete_initial_grant.sql', '0577189ffe00006aabc8291558cdbcad15d64f762ee5a4056097a1bc7905d834')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/onboard_device.sql sha256:a91be8422567dc2190391000296357514fd6c2beca6a307a0f19c356a789229c
-- Finds or creates the account of a device. A device id never gives access to an account that has signed in with Apple: such an
-- account loses the id, because its owner signs in through Apple; so does a deleted one. The device then gets a guest account.
-- `p_is_proven`: Apple has verified the device. Such a guest may store more.
-- `has_open_claim`: a claim to the initial grant was opened and not finished.
-- @returns {
--   user_id: string, is_new: boolean, credits_remaining: number, initial_grant_claimed: boolean, has_open_claim: boolean
-- }
create or replace function public.onboard_device(
  p_device_id text,
  p_language text default 'en',
  p_is_proven boolean default false
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
  v_is_new boolean := false;
begin
  loop
    select * into v_user from public.users where device_id = p_device_id for update;
    if found then
      exit when v_user.apple_sub is null and v_user.deleted_at is null;
      update public.users set device_id = null, updated_at = now() where id = v_user.id;
    end if;
    insert into public.users (device_id, language)
    values (p_device_id, p_language)
    on conflict (device_id) do nothing
    returning * into v_user;
    if found then
      v_is_new := true;
      exit;
    end if;
  end loop;

  if p_is_proven then
    insert into public.proven_devices (user_id) values (v_user.id) on conflict (user_id) do nothing;
  end if;
  return jsonb_build_object(
    'user_id', v_user.id,
    'is_new', v_is_new,
    'credits_remaining', v_user.credits_remaining,
    'initial_grant_claimed', v_user.initial_grant_claimed,
    'has_open_claim', exists (select from public.device_grants where user_id = v_user.id and state = 'claiming')
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/onboard_device.sql', 'a91be8422567dc2190391000296357514fd6c2beca6a307a0f19c356a789229c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/open_device_session.sql sha256:3858a721de297cf946f5ef7046980cfb4a8057c8634f90c04bea579ac3c9a5cf
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
  for share of u;
  if not found then
    return false;
  end if;
  perform public.open_session(p_user_id, p_session_id, p_token_hash, p_nonce, p_lifetime_seconds);
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/open_device_session.sql', '3858a721de297cf946f5ef7046980cfb4a8057c8634f90c04bea579ac3c9a5cf')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/open_session.sql sha256:da79a4cb43b9131078f6ac59c7b23d2054c362fcfc48fdc984378f4c6ab68abe
-- Opens a session with its first refresh token, which is stored as a hash. It ends `p_lifetime_seconds` after the last refresh.
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
begin
  insert into public.sessions (id, user_id, expires_at)
  values (p_session_id, p_user_id, clock_timestamp() + make_interval(secs => p_lifetime_seconds));
  insert into public.refresh_tokens (token_hash, session_id, generation, nonce)
  values (p_token_hash, p_session_id, 0, p_nonce);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/open_session.sql', 'da79a4cb43b9131078f6ac59c7b23d2054c362fcfc48fdc984378f4c6ab68abe')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/rotate_session.sql sha256:bfc6a3c86d3c32d7eb5e69763a2f7853e0ba1a68b39f3991f5259a214de0fe01
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
  select u.id into v_user_id
  from public.users u
  join public.sessions s on s.user_id = u.id
  where s.id = v_token.session_id and u.deleted_at is null
  for update of u;
  select * into v_session from public.sessions where id = v_token.session_id for update;
  if v_user_id is null or v_session.revoked_at is not null then
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

insert into public.schema_history (name, hash) values ('procedures/accounts/rotate_session.sql', 'bfc6a3c86d3c32d7eb5e69763a2f7853e0ba1a68b39f3991f5259a214de0fe01')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/update_profile.sql sha256:a1bf25c55632e6ad50e6bbdb3bb203fd5e9951d2d41ff7406ed415e779157505
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
begin
  update public.users
  set language = coalesce(p_language, language),
      theme_preference = coalesce(p_theme_preference, theme_preference),
      updated_at = now()
  where id = p_user_id and deleted_at is null;
  return found;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/update_profile.sql', 'a1bf25c55632e6ad50e6bbdb3bb203fd5e9951d2d41ff7406ed415e779157505')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/withdraw_initial_grant.sql sha256:2fbb12f882b0b6b56b281edaef6e640b2c8df98edbbc551a3b3ea149f8b8e555
-- Closes a claim without credits: Apple did not mark the device.
create or replace function public.withdraw_initial_grant(p_user_id uuid) returns void
language sql
security definer
set search_path = ''
as $$
  update public.device_grants
  set state = 'void', settled_at = clock_timestamp()
  where user_id = p_user_id and state = 'claiming'
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/withdraw_initial_grant.sql', '2fbb12f882b0b6b56b281edaef6e640b2c8df98edbbc551a3b3ea149f8b8e555')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/catalogue/generation_price.sql sha256:2d24745cc90eb5f484d5928651f8d7b13ee6efc5d5d9514a0cbd15a2c98cfc11
-- The price of one generation: flat, or per started `price_per_seconds` seconds.
create or replace function public.generation_price(p_model public.models, p_duration_seconds numeric) returns integer
language sql
immutable
set search_path = ''
as $$
  select case
    when p_model.price_per_seconds is null then p_model.cost_per_generation
    else ceil(p_duration_seconds / p_model.price_per_seconds)::integer * p_model.price_credits
  end
$$;

insert into public.schema_history (name, hash) values ('procedures/catalogue/generation_price.sql', '2d24745cc90eb5f484d5928651f8d7b13ee6efc5d5d9514a0cbd15a2c98cfc11')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/catalogue/keep_default_price.sql sha256:81f6198d88adeeec8de396c7921761374abc9f14204a91aa0e74f08b1012cc67
-- Keeps cost_per_generation equal to the price of the default settings, so that the price list always agrees with the charge.
create or replace function public.keep_default_price() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if new.price_per_seconds is not null then
    new.cost_per_generation := public.generation_price(
      new, (new.settings_schema #>> '{properties,duration,default}')::numeric
    );
  end if;
  new.updated_at := now();
  return new;
end
$$;

create or replace trigger models_keep_default_price
  before insert or update on public.models
  for each row execute function public.keep_default_price();

insert into public.schema_history (name, hash) values ('procedures/catalogue/keep_default_price.sql', '81f6198d88adeeec8de396c7921761374abc9f14204a91aa0e74f08b1012cc67')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/add_credits.sql sha256:959ff7e5b60284447dd909a965b0265cbbc86574eb06d7760300710ef0ca4ca2
-- Adds credits for a reason. With a transaction id, they are added at most once.
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
  v_before integer;
  v_balance integer;
begin
  if p_amount is null or p_amount <= 0 then
    return jsonb_build_object('success', false, 'error', 'Invalid amount');
  end if;

  select credits_remaining into v_before
  from public.users
  where id = p_user_id and deleted_at is null
  for update;
  if not found then
    return jsonb_build_object('success', false, 'error', 'User not found');
  end if;

  -- Far below the largest integer, so that no balance can overflow.
  if greatest(v_before, 0)::bigint + p_amount > 1000000000 then
    return jsonb_build_object('success', false, 'error', 'Invalid amount');
  end if;

  v_balance := public.apply_credits(p_user_id, p_amount, p_reason, p_job_id, p_transaction_id);
  if v_balance is null then
    return jsonb_build_object('success', false, 'error', 'Transaction already processed');
  end if;

  return jsonb_build_object('success', true, 'credits_added', p_amount, 'credits_remaining', v_balance);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/add_credits.sql', '959ff7e5b60284447dd909a965b0265cbbc86574eb06d7760300710ef0ca4ca2')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/apply_credits.sql sha256:e2793387b5a817682fa39f02bbba7f0d0b0f8e6f6f3b66196ad998b0278f3a6f
-- The only procedure that writes users.credits_remaining, users.credits_total and quota_log: one ledger row, the balance
-- that follows from it, and an event. Null: p_transaction_id was used before. The caller holds the user's row lock and has
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

insert into public.schema_history (name, hash) values ('procedures/credits/apply_credits.sql', 'e2793387b5a817682fa39f02bbba7f0d0b0f8e6f6f3b66196ad998b0278f3a6f')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/broken_invariants.sql sha256:4387713b8c7c0065b2196be3ac9f78dd197dea4aea8093109580c2c66599b52c
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
        count(*) filter (where q.reason = 'video_generation' and q.user_id = j.user_id) as charges,
        -coalesce(sum(q.change) filter (where q.reason = 'video_generation' and q.user_id = j.user_id), 0) as charged,
        count(*) filter (where q.reason = 'generation_failed_refund') as refunds,
        coalesce(sum(q.change) filter (where q.reason = 'generation_failed_refund'), 0) as refunded
      from public.quota_log q
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
    jsonb_build_object('credits_total', u.credits_total, 'sum', coalesce(l.earned, 0))
  from public.users u
  left join (
    select q.user_id,
      sum(q.change) filter (
        where q.reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed')
      ) as earned,
      bool_or(q.reason = 'account_merge') as is_merged
    from public.quota_log q
    where q.user_id > v_after and q.user_id <= v_until
    group by q.user_id
  ) l on l.user_id = u.id
  where u.id > v_after and u.id <= v_until
    and u.credits_total <> coalesce(l.earned, 0)
    and l.is_merged is not true;

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

insert into public.schema_history (name, hash) values ('procedures/credits/broken_invariants.sql', '4387713b8c7c0065b2196be3ac9f78dd197dea4aea8093109580c2c66599b52c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/deduct_credits.sql sha256:1c24cdaed05ab4670747c947cf2fb17d8188132bead0f065ba367af2323da4ee
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
  v_balance integer;
begin
  if p_amount is null or p_amount <= 0 then
    return jsonb_build_object('success', false, 'error', 'Invalid amount');
  end if;

  select credits_remaining into v_balance
  from public.users
  where id = p_user_id and deleted_at is null
  for update;
  if not found then
    return jsonb_build_object('success', false, 'error', 'User not found');
  end if;

  if v_balance < p_amount then
    return jsonb_build_object(
      'success', false,
      'error', 'Insufficient credits',
      'current_credits', v_balance,
      'required_credits', p_amount
    );
  end if;

  return jsonb_build_object(
    'success', true,
    'credits_remaining', public.apply_credits(p_user_id, -p_amount, p_reason, p_job_id, null)
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/deduct_credits.sql', '1c24cdaed05ab4670747c947cf2fb17d8188132bead0f065ba367af2323da4ee')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/refuse_ledger_change.sql sha256:15ab2dbaa7bad5fafc9e865265332248ccbee8e178d91a2c849bb2153393b67b
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

insert into public.schema_history (name, hash) values ('procedures/credits/refuse_ledger_change.sql', '15ab2dbaa7bad5fafc9e865265332248ccbee8e178d91a2c849bb2153393b67b')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/admit_to_provider.sql sha256:0800cef7319aa21bc211761665912f883004f59096c471261df9c068bfcea523
-- Whether a job for the provider may be charged now: 0, or the seconds until the next try. While the circuit is open there is one
-- try every 30 seconds, and the caller that gets 0 has used it.
create or replace function public.admit_to_provider(p_provider text) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_seconds integer;
begin
  if not exists (select from public.provider_circuits where provider = p_provider and state = 'open') then
    return 0;
  end if;
  update public.provider_circuits
  set probe_at = clock_timestamp() + interval '30 seconds'
  where provider = p_provider and state = 'open' and probe_at <= clock_timestamp();
  if found then
    return 0;
  end if;
  -- The circuit may have closed while this call waited for the row.
  select greatest(1, ceil(extract(epoch from probe_at - clock_timestamp())))::integer into v_seconds
  from public.provider_circuits
  where provider = p_provider and state = 'open';
  return coalesce(v_seconds, 0);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/admit_to_provider.sql', '0800cef7319aa21bc211761665912f883004f59096c471261df9c068bfcea523')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/begin_attempt.sql sha256:f1d8356f9817c8ffc712e0f81b95e953f911d7128f54c2d557ce2dd8b9e86078
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

  insert into public.provider_attempts (job_id, attempt, provider, provider_model_id)
  values (p_job_id, coalesce(v_attempt.attempt, 0) + 1, v_job.provider, v_job.provider_model_id)
  returning * into v_attempt;
  return jsonb_build_object('outcome', 'claimed', 'attempt_id', v_attempt.id, 'attempt', v_attempt.attempt);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/begin_attempt.sql', 'f1d8356f9817c8ffc712e0f81b95e953f911d7128f54c2d557ce2dd8b9e86078')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/begin_generation.sql sha256:554e5f9f1a64066ab7824f822946335dc41174170325da8a11b458cdc66c23ed
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
  select * into v_user from public.users where id = p_user_id and deleted_at is null for update;
  if not found then
    return jsonb_build_object('outcome', 'user_not_found');
  end if;
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

insert into public.schema_history (name, hash) values ('procedures/generations/begin_generation.sql', '554e5f9f1a64066ab7824f822946335dc41174170325da8a11b458cdc66c23ed')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/cancel_generation.sql sha256:9a7b2b03f36d821f514939d4c1fefafe3f9efd6e7aae7c36e944d3f7e3bb1786
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
  perform from public.users where id = p_user_id for update;
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

insert into public.schema_history (name, hash) values ('procedures/generations/cancel_generation.sql', '9a7b2b03f36d821f514939d4c1fefafe3f9efd6e7aae7c36e944d3f7e3bb1786')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/close_attempt.sql sha256:4ac9b380c5e0b015e1a40251ac804e480f178ee7c17b1b782fc290b2615ba430
-- Closes an attempt that was not accepted, as `retryable` or `unknown`; the job goes on. False: it was already closed, and does
-- not change.
create or replace function public.close_attempt(p_attempt_id uuid, p_state text, p_error text) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  -- The previous version sends `refused`.
  v_state text := case p_state when 'refused' then 'retryable' else p_state end;
begin
  if v_state is null or v_state not in ('retryable', 'unknown') then
    raise exception 'an attempt cannot be closed as %', p_state using errcode = 'invalid_parameter_value';
  end if;
  update public.provider_attempts
  set state = v_state, error = left(p_error, 4000), closed_at = clock_timestamp()
  where id = p_attempt_id and state = 'submitting';
  return found;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/close_attempt.sql', '4ac9b380c5e0b015e1a40251ac804e480f178ee7c17b1b782fc290b2615ba430')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/confirm_attempt.sql sha256:a79b03df6f5008133abcf32f89aba342b3944aa08e84eea1a5e6c67be1b04b45
-- The provider, asked with our key, has the job under this id: accepts the attempt whose outcome was unknown.
-- `none`: no such attempt is open.
-- @returns {outcome: 'none' | 'submitted' | 'already' | 'superseded' | 'final' | 'taken' | 'not_found'}
create or replace function public.confirm_attempt(p_job_id uuid, p_provider_job_id text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_attempt_id uuid;
begin
  perform public.lock_job(p_job_id);
  select id into v_attempt_id
  from public.provider_attempts
  where job_id = p_job_id and state in ('submitting', 'unknown');
  if not found then
    return jsonb_build_object('outcome', 'none');
  end if;
  return public.mark_submitted(p_job_id, v_attempt_id, p_provider_job_id, p_provider_job_id);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/confirm_attempt.sql', 'a79b03df6f5008133abcf32f89aba342b3944aa08e84eea1a5e6c67be1b04b45')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/count_jobs.sql sha256:578244683540ff12501fa04575f3d11a468ec4341f276b46894b3c68504fbea0
-- Keeps job_counters up to date, so that totals are read instead of counted.
create or replace function public.count_jobs() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_op <> 'INSERT' and old.deleted_at is null then
    update public.job_counters
    set jobs = jobs - 1
    where user_id = old.user_id and status = old.status;
  end if;
  if tg_op <> 'DELETE' and new.deleted_at is null then
    insert into public.job_counters as c (user_id, status, jobs)
    values (new.user_id, new.status, 1)
    on conflict (user_id, status) do update set jobs = c.jobs + 1;
  end if;
  return null;
end
$$;

create or replace trigger video_jobs_count_changes
  after update of status, deleted_at, user_id on public.video_jobs
  for each row
  when (
    old.status is distinct from new.status
    or old.deleted_at is distinct from new.deleted_at
    or old.user_id is distinct from new.user_id
  )
  execute function public.count_jobs();

create or replace trigger video_jobs_count_rows
  after insert or delete on public.video_jobs
  for each row execute function public.count_jobs();

insert into public.schema_history (name, hash) values ('procedures/generations/count_jobs.sql', '578244683540ff12501fa04575f3d11a468ec4341f276b46894b3c68504fbea0')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/delete_generation.sql sha256:d1c2215dfab797cb3cddfa4c8ecdeed2f47960877b14b4f41778eec06597c705
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
  perform from public.users where id = p_user_id for update;
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

insert into public.schema_history (name, hash) values ('procedures/generations/delete_generation.sql', 'd1c2215dfab797cb3cddfa4c8ecdeed2f47960877b14b4f41778eec06597c705')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/end_attempt.sql sha256:6712a5bab75ea0b0355f97d969b00d3a36584949bc41623e177adb1ce82c75e6
-- Stores, once, how the attempt ended that the provider had accepted: completed | failed | stopped.
create or replace function public.end_attempt(p_job_id uuid, p_result text, p_error text default null, p_cost_usd numeric default null)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.provider_attempts
  set result = p_result,
      result_error = left(p_error, 4000),
      -- An amount that cannot be the price of a video is not stored.
      vendor_cost_usd = case when p_cost_usd between 0 and 99999 then p_cost_usd end,
      ended_at = clock_timestamp()
  where job_id = p_job_id and state = 'accepted' and result is null;
  return found;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/end_attempt.sql', '6712a5bab75ea0b0355f97d969b00d3a36584949bc41623e177adb1ce82c75e6')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/fail_attempt.sql sha256:a0ccf3f0aed3a7e03e33a353d1005c048eb1db80d56ebd82d2085a0867066871
-- Closes an attempt that was not accepted (`retryable` for the last time, or `declined`) and fails its job, as fail_generation
-- does, in one transaction: a crash between the two would leave a job without the reason for its failure.
-- `final`: the job had already ended. `closed`: the attempt was already closed; the job goes on.
-- @returns {outcome: 'failed' | 'final' | 'closed'}
create or replace function public.fail_attempt(
  p_attempt_id uuid,
  p_state text,
  p_error_code text,
  p_cause text,
  p_reason text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs;
  -- The previous version sends `refused` and `rejected`.
  v_state text := case p_state when 'refused' then 'retryable' when 'rejected' then 'declined' else p_state end;
begin
  if v_state is null or v_state not in ('retryable', 'declined') then
    raise exception 'an attempt that is % fails no job', p_state using errcode = 'invalid_parameter_value';
  end if;
  v_job := public.lock_job((select job_id from public.provider_attempts where id = p_attempt_id));
  update public.provider_attempts
  set state = v_state, error = left(p_cause, 4000), closed_at = clock_timestamp()
  where id = p_attempt_id and state = 'submitting';
  if not found then
    return jsonb_build_object('outcome', 'closed');
  end if;
  return jsonb_build_object(
    'outcome',
    case when public.fail_generation(v_job.job_id, p_error_code, p_cause, p_reason) then 'failed' else 'final' end
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/fail_attempt.sql', 'a0ccf3f0aed3a7e03e33a353d1005c048eb1db80d56ebd82d2085a0867066871')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/fail_generation.sql sha256:845ead4f746a19436c6ed5daf2768b3687b4c27504404eef00213d3e18ecd005
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
    perform public.log_error(
      v_job.user_id,
      p_error_code,
      'generation',
      jsonb_build_object('job_id', p_job_id, 'provider', v_job.provider),
      jsonb_build_object('cause', p_cause)
    );
  end if;
  perform public.schedule_cleanup(p_job_id);
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/fail_generation.sql', '845ead4f746a19436c6ed5daf2768b3687b4c27504404eef00213d3e18ecd005')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/finish_generation.sql sha256:4b5407d44c6f46ab4a0b0ce9529f05ea46575937e47eedd252d823e31f0f4f84
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
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/finish_generation.sql', '4b5407d44c6f46ab4a0b0ce9529f05ea46575937e47eedd252d823e31f0f4f84')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/guard_job_state.sql sha256:adfcec6fd25e298aad1b780b2d851a69a1403a55fea93c7cca8ae4076f96ae54
-- A second guard behind the procedures' own comparisons: no update of a job, from any code, may skip a state or go back.
create or replace function public.guard_job_state() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if old.status = new.status
    or (old.status = 'pending' and new.status in ('processing', 'failed'))
    or (old.status = 'processing' and new.status in ('completed', 'failed'))
  then
    return new;
  end if;
  raise exception 'a generation cannot go from % to %', old.status, new.status using errcode = 'check_violation';
end
$$;

create or replace trigger video_jobs_guard_state
  before update of status on public.video_jobs
  for each row execute function public.guard_job_state();

insert into public.schema_history (name, hash) values ('procedures/generations/guard_job_state.sql', 'adfcec6fd25e298aad1b780b2d851a69a1403a55fea93c7cca8ae4076f96ae54')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/is_made.sql sha256:e54f2f4bee24a767eabfa6508ec5660d09fe24f701ab7bca7accc3feccf603b1
-- Whether the provider has reported that the video is made. From then on one task delivers it, and the job cannot be cancelled.
create or replace function public.is_made(p_job_id uuid) returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select exists (
    select from public.provider_attempts where job_id = p_job_id and state = 'accepted' and result = 'completed'
  )
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/is_made.sql', 'e54f2f4bee24a767eabfa6508ec5660d09fe24f701ab7bca7accc3feccf603b1')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/lock_job.sql sha256:b8a42a5849eea114933f6ee9bf52ca5f314ed10fec384b2e4ad833ba581db3a4
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
    select * into v_job from public.video_jobs where job_id = p_job_id for update;
    -- A merge of accounts may have moved the job to another account while this call waited.
    exit when v_job.user_id = v_user_id;
  end loop;
  return v_job;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/lock_job.sql', 'b8a42a5849eea114933f6ee9bf52ca5f314ed10fec384b2e4ad833ba581db3a4')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/mark_submitted.sql sha256:24c532383df90c6a3c48e4840e5b29b91cfb173cb6d11892f89af853fff5da82
-- The provider has accepted the job: pending → processing, under the provider's id; also from an attempt whose outcome was
-- unknown. `superseded`: the job already has another id, from an event. `taken`: another of our jobs has this id.
-- @returns {outcome: 'submitted' | 'already' | 'superseded' | 'final' | 'taken' | 'not_found'}
create or replace function public.mark_submitted(
  p_job_id uuid,
  p_attempt_id uuid,
  p_provider_job_id text,
  p_vendor_request_id text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs := public.lock_job(p_job_id);
begin
  if v_job.job_id is null then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  -- Looked up in the attempts: they also hold the ids of jobs that had ended before we knew the id.
  if exists (
    select from public.provider_attempts
    where provider = v_job.provider and provider_job_id = p_provider_job_id and job_id <> p_job_id
  ) then
    return jsonb_build_object('outcome', 'taken');
  end if;

  update public.provider_attempts
  set state = 'accepted',
      provider_job_id = p_provider_job_id,
      vendor_request_id = p_vendor_request_id,
      closed_at = clock_timestamp()
  where id = p_attempt_id and job_id = p_job_id and state in ('submitting', 'unknown');

  if v_job.completed_at is not null then
    -- The video is no longer needed. A task cancels it at the provider, so that a crash of the caller cannot prevent that.
    if v_job.status = 'failed' and v_job.provider_job_id is null then
      update public.video_jobs set provider_job_id = p_provider_job_id where job_id = p_job_id;
      perform public.schedule_cleanup(p_job_id);
    end if;
    return jsonb_build_object('outcome', 'final');
  elsif v_job.status = 'processing' then
    return jsonb_build_object(
      'outcome', case when v_job.provider_job_id = p_provider_job_id then 'already' else 'superseded' end
    );
  end if;

  update public.video_jobs
  set status = 'processing', provider_job_id = p_provider_job_id, submitted_at = clock_timestamp()
  where job_id = p_job_id and status = 'pending';
  perform public.emit_event(
    v_job.user_id, 'processing', p_job_id, jsonb_build_object('progress', null, 'queue_position', null)
  );
  perform public.enqueue('poll_generation', json_build_object('job_id', p_job_id), 'poll:' || p_job_id);
  return jsonb_build_object('outcome', 'submitted');
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/mark_submitted.sql', '24c532383df90c6a3c48e4840e5b29b91cfb173cb6d11892f89af853fff5da82')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/record_progress.sql sha256:f6f02c747bd5165a754725d3190f7132358f97f2381395963c8f99f83df6b708
-- Stores what the provider reports about a running job. Emits an event only if something changed; progress never decreases.
-- False: the job is not processing.
create or replace function public.record_progress(p_job_id uuid, p_progress integer default null, p_queue_position integer default null)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs := public.lock_job(p_job_id);
  v_progress integer := least(greatest(p_progress, v_job.progress, 0), 100);
begin
  if v_job.status is distinct from 'processing' then
    return false;
  end if;
  if p_progress is null then
    v_progress := v_job.progress;
  end if;
  if v_progress is not distinct from v_job.progress and p_queue_position is not distinct from v_job.queue_position then
    return true;
  end if;
  update public.video_jobs
  set progress = v_progress, queue_position = p_queue_position
  where job_id = p_job_id;
  perform public.emit_event(
    v_job.user_id,
    'processing',
    p_job_id,
    jsonb_build_object('progress', v_progress, 'queue_position', p_queue_position)
  );
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/record_progress.sql', 'f6f02c747bd5165a754725d3190f7132358f97f2381395963c8f99f83df6b708')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/record_provider_event.sql sha256:9a3ebb1d2cf0f23a01bc96fb58392058c2fabc950929ef054a1dac3c4494e63c
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

  insert into public.provider_events (sender, event_key, job_id, provider_job_id, effect)
  values (p_sender, p_event_key, p_job_id, p_provider_job_id, v_effect)
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

insert into public.schema_history (name, hash) values ('procedures/generations/record_provider_event.sql', '9a3ebb1d2cf0f23a01bc96fb58392058c2fabc950929ef054a1dac3c4494e63c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/record_provider_outcome.sql sha256:1be5a4f555abe6fbc47e8f50f826bbf8f3203f1a163bc6706c46359cae2c44b2
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
  return case when v_opens then 'opened' end;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/record_provider_outcome.sql', '1be5a4f555abe6fbc47e8f50f826bbf8f3203f1a163bc6706c46359cae2c44b2')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/requeue_orphans.sql sha256:cb5143d2659f585644d36cd6cbe3111fa0825e46a65f8bfe55e77e6da488bdd1
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
      and j.deadline_at > clock_timestamp()
      and j.created_at < clock_timestamp() - interval '30 seconds'
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
    and q.run_at > clock_timestamp() + interval '15 seconds'
  having count(*) > 0;
  return v_count;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/requeue_orphans.sql', 'cb5143d2659f585644d36cd6cbe3111fa0825e46a65f8bfe55e77e6da488bdd1')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/schedule_cleanup.sql sha256:9d944acebc1c6ff0f8c8a7aef13171823c50e98cc1de25f935f9a3191414227f
-- Schedules the clean-up of a job that has ended: cancel it at the provider, and delete files that are no longer needed.
create or replace function public.schedule_cleanup(p_job_id uuid, p_delay_ms integer default 0) returns void
language sql
security definer
set search_path = ''
as $$
  select public.enqueue(
    'clean_up_generation', json_build_object('job_id', p_job_id), 'clean_up:' || p_job_id, p_delay_ms, 25
  )
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/schedule_cleanup.sql', '9d944acebc1c6ff0f8c8a7aef13171823c50e98cc1de25f935f9a3191414227f')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/schedule_confirmation.sql sha256:926562e4bcab7cc05d85a12099d43f92d1d69418b5e46a1bb0ae3affab36a5c7
-- Schedules the question to the provider whether the job that an event names is ours: a vendor signs the events of all its
-- customers alike. `p_try` counts the answers so far, from 1.
create or replace function public.schedule_confirmation(
  p_job_id uuid,
  p_provider_job_id text,
  p_delay_ms integer,
  p_try integer default 1
) returns void
language sql
security definer
set search_path = ''
as $$
  select public.enqueue(
    'confirm_attempt',
    json_build_object('job_id', p_job_id, 'provider_job_id', p_provider_job_id, 'try', p_try),
    'confirm:' || p_job_id || ':' || md5(p_provider_job_id),
    p_delay_ms
  )
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/schedule_confirmation.sql', '926562e4bcab7cc05d85a12099d43f92d1d69418b5e46a1bb0ae3affab36a5c7')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/schedule_poll.sql sha256:df2d54a16910cd5ae2f4e0927392af457225c3ae505a4e2ecd560fd36bb36ccf
-- Schedules the next poll of the provider. A poll that is due sooner stays: an event may have arrived during the last one.
create or replace function public.schedule_poll(p_job_id uuid, p_delay_ms integer) returns void
language sql
security definer
set search_path = ''
as $$
  select public.enqueue('poll_generation', json_build_object('job_id', p_job_id), 'poll:' || p_job_id, p_delay_ms)
  where not exists (
    select from graphile_worker.jobs q
    where q.key = 'poll:' || p_job_id
      and q.locked_at is null
      and q.attempts = 0
      and q.run_at <= clock_timestamp() + make_interval(secs => greatest(p_delay_ms, 0) / 1000.0)
  )
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/schedule_poll.sql', 'df2d54a16910cd5ae2f4e0927392af457225c3ae505a4e2ecd560fd36bb36ccf')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/schedule_submit.sql sha256:42c3ad836c560678f9c5c7499ea882f64367a898321cc818a7409876861cd65c
-- Schedules another submit, because the last attempt was not accepted. A submit calls this as its last step, so that two
-- submits of one job never run at the same time.
create or replace function public.schedule_submit(p_job_id uuid, p_delay_ms integer) returns void
language sql
security definer
set search_path = ''
as $$
  select public.enqueue(
    'submit_generation', json_build_object('job_id', p_job_id), 'submit:' || p_job_id, p_delay_ms
  )
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/schedule_submit.sql', '42c3ad836c560678f9c5c7499ea882f64367a898321cc818a7409876861cd65c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/idempotency/find_response.sql sha256:803025c60f40bf4859870b3cae6b8739d250e337ddb4b7d24f184b5bdc4ccb31
-- Returns the response that was stored under a user's idempotency key. Null: the key is free, or none was sent.
-- Called under the user's row lock: of two concurrent calls with one key, the second waits and then finds the first's response.
-- @returns {outcome: 'key_reused'} | {outcome: 'replayed', status_code: number, response: Json} | null
create or replace function public.find_response(
  p_user_id uuid,
  p_idempotency_key uuid,
  p_operation text,
  p_request_hash text
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_logged public.idempotency_log;
begin
  select * into v_logged
  from public.idempotency_log
  where user_id = p_user_id and idempotency_key = p_idempotency_key and expires_at > clock_timestamp();
  if not found then
    return null;
  elsif v_logged.request_hash <> p_request_hash or v_logged.operation_type <> p_operation then
    return jsonb_build_object('outcome', 'key_reused');
  end if;
  return jsonb_build_object(
    'outcome', 'replayed',
    'status_code', v_logged.status_code,
    'response', v_logged.response_data
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/idempotency/find_response.sql', '803025c60f40bf4859870b3cae6b8739d250e337ddb4b7d24f184b5bdc4ccb31')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/idempotency/store_response.sql sha256:26d5c132e577a968a05e745268b79e06965d615fa960d8a5736d0bbe4a906a38
-- Stores the response of an operation under the user's idempotency key, in the transaction that did the work. An expired key
-- may be used again; the primary key prevents a second response under a key that has not expired.
create or replace function public.store_response(
  p_user_id uuid,
  p_idempotency_key uuid,
  p_operation text,
  p_request_hash text,
  p_response jsonb,
  p_job_id uuid default null
) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  delete from public.idempotency_log
  where user_id = p_user_id and idempotency_key = p_idempotency_key and expires_at <= clock_timestamp();
  insert into public.idempotency_log (
    user_id, idempotency_key, job_id, operation_type, request_hash, response_data, status_code
  )
  values (p_user_id, p_idempotency_key, p_job_id, p_operation, p_request_hash, p_response, 200);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/idempotency/store_response.sql', '26d5c132e577a968a05e745268b79e06965d615fa960d8a5736d0bbe4a906a38')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/limits/cleanup_rate_limit_logs.sql sha256:ccc706a41099c21a6b13519c30ba59b8fd7fb3b56e72fed308cf744c0b91818f
-- Deletes rows older than 7 days, far more than the longest window of a limit. Returns how many were deleted.
create or replace function public.cleanup_rate_limit_logs() returns integer
language sql
security definer
set search_path = ''
as $$
  with gone as (
    delete from public.rate_limit_log where created_at < now() - interval '7 days' returning 1
  )
  select count(*)::integer from gone
$$;

insert into public.schema_history (name, hash) values ('procedures/limits/cleanup_rate_limit_logs.sql', 'ccc706a41099c21a6b13519c30ba59b8fd7fb3b56e72fed308cf744c0b91818f')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/limits/rate_limit_state.sql sha256:3a256d6e1d03c8a770d7da712cce50f4c5e89d11fa11f8098df92ef8865e9023
-- Returns how many slots of a window are left and, if it is full, when the next one becomes free, for a user or (with
-- `p_user_id` null) for an IP address. Counts rows that no user can delete. `p_limit` null: no limit.
-- One query for each kind of key, with the window's start in a variable and without `order by … limit`: otherwise PostgreSQL may
-- walk the whole log. A window holds few rows, because a row is only added while a slot is left.
create or replace function public.rate_limit_state(
  p_action text,
  p_user_id uuid,
  p_address inet,
  p_limit integer,
  p_window interval
) returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_start timestamptz := v_now - p_window;
  v_taken timestamptz[];
  v_count integer;
  v_oldest timestamptz;
begin
  if p_user_id is not null then
    select array_agg(created_at order by created_at desc) into v_taken
    from public.rate_limit_log
    where user_id = p_user_id and action = p_action and created_at > v_start;
  else
    select array_agg(created_at order by created_at desc) into v_taken
    from public.rate_limit_log
    where ip_address = p_address and action = p_action and created_at > v_start;
  end if;
  v_count := coalesce(cardinality(v_taken), 0);
  -- A slot becomes free when the oldest of the last `p_limit` rows leaves the window.
  v_oldest := v_taken[least(v_count, p_limit)];
  return jsonb_build_object(
    'limit', p_limit,
    'window_seconds', extract(epoch from p_window)::integer,
    'remaining', greatest(p_limit - v_count, 0),
    'reset_seconds', greatest(1, ceil(extract(epoch from coalesce(v_oldest, v_now) + p_window - v_now)))::integer,
    'allowed', v_count < p_limit
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/limits/rate_limit_state.sql', '3a256d6e1d03c8a770d7da712cce50f4c5e89d11fa11f8098df92ef8865e9023')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/limits/take_rate_limit.sql sha256:7404597dd27929de98bd4702c523a90cd04475ea2a04cb40227892d514429ee7
-- Takes one slot of an IP address's window, in a transaction of its own: for calls that have no account yet.
-- @returns {allowed: boolean, limit: number, window_seconds: number, remaining: number, reset_seconds: number}
create or replace function public.take_rate_limit(p_action text, p_address inet, p_limit integer, p_window_seconds integer)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_state jsonb;
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(p_action || ' ' || p_address::text, 0));
  v_state := public.rate_limit_state(p_action, null, p_address, p_limit, make_interval(secs => p_window_seconds));
  if (v_state ->> 'allowed')::boolean then
    insert into public.rate_limit_log (action, ip_address) values (p_action, p_address);
    v_state := v_state || jsonb_build_object('remaining', (v_state ->> 'remaining')::integer - 1);
  end if;
  return v_state;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/limits/take_rate_limit.sql', '7404597dd27929de98bd4702c523a90cd04475ea2a04cb40227892d514429ee7')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/maintenance/log_error.sql sha256:c25e6562d11862356759d5e82222845fcde428352b44c867ef00bfc5863a75a3
-- Stores an error for operators. `p_request_data` must already be redacted.
create or replace function public.log_error(
  p_user_id uuid,
  p_error_code text,
  p_endpoint text,
  p_request_data jsonb,
  p_error_details jsonb
) returns void
language sql
security definer
set search_path = ''
as $$
  insert into public.error_log (user_id, error_code, endpoint, request_data, error_details)
  select (select id from public.users where id = p_user_id), p_error_code, left(p_endpoint, 200), p_request_data, p_error_details
$$;

insert into public.schema_history (name, hash) values ('procedures/maintenance/log_error.sql', 'c25e6562d11862356759d5e82222845fcde428352b44c867ef00bfc5863a75a3')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/maintenance/prune_logs.sql sha256:7919739767b46928243997ad93daa31bc0360bf4b2bd3c01c98ab2a06f258ead
-- Deletes up to `p_limit` rows of each log whose retention has passed, the oldest first; never a user, a job or a ledger row.
-- Returns how many, by kind; the caller repeats it until no kind reaches the limit, so that no statement runs for long.
-- @returns {
--   rate_limit_rows: number, idempotency_keys: number, events: number, sessions: number, errors: number,
--   provider_events: number
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
begin
  delete from public.rate_limit_log
  where id in (
    select id from public.rate_limit_log where created_at < now() - interval '7 days' order by created_at limit p_limit
  );
  get diagnostics v_rate_limit_rows = row_count;
  delete from public.idempotency_log
  where (user_id, idempotency_key) in (
    select user_id, idempotency_key from public.idempotency_log where expires_at < now() order by expires_at limit p_limit
  );
  get diagnostics v_keys = row_count;
  -- A stream resumes after the last event it sent; after a day the app reads the list again instead.
  delete from public.user_events
  where id in (
    select id from public.user_events where created_at < now() - interval '1 day' order by created_at limit p_limit
  );
  get diagnostics v_events = row_count;
  -- Kept for a month after the end, so that "session expired" and "no such session" remain two answers.
  delete from public.sessions
  where id in (
    select id from public.sessions where expires_at < now() - interval '30 days' order by expires_at limit p_limit
  );
  get diagnostics v_sessions = row_count;
  delete from public.error_log
  where id in (
    select id from public.error_log where created_at < now() - interval '90 days' order by created_at limit p_limit
  );
  get diagnostics v_errors = row_count;
  -- Vendors resend an event for hours at most.
  delete from public.provider_events
  where id in (
    select id from public.provider_events where created_at < now() - interval '30 days' order by created_at limit p_limit
  );
  get diagnostics v_provider_events = row_count;
  return jsonb_build_object(
    'rate_limit_rows', v_rate_limit_rows,
    'idempotency_keys', v_keys,
    'events', v_events,
    'sessions', v_sessions,
    'errors', v_errors,
    'provider_events', v_provider_events
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/maintenance/prune_logs.sql', '7919739767b46928243997ad93daa31bc0360bf4b2bd3c01c98ab2a06f258ead')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/notifications/announce_stream.sql sha256:a6d56bcf5961eadac24d8f8156db4b0280601f9869786585e7a302dc2ae0ce3e
-- Notifies the other servers that an account has opened an event stream here, so that its oldest one there may have to end.
create or replace function public.announce_stream(p_user_id uuid, p_server_id uuid) returns void
language sql
security definer
set search_path = ''
as $$
  select pg_catalog.pg_notify('user_events', 'stream:' || p_user_id || ':' || p_server_id)
$$;

insert into public.schema_history (name, hash) values ('procedures/notifications/announce_stream.sql', 'a6d56bcf5961eadac24d8f8156db4b0280601f9869786585e7a302dc2ae0ce3e')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/notifications/emit_event.sql sha256:1823b0a3b1dab8d68b436e7c46b04f1bf10b26e28ef058a2de3d5a36eeab6faf
-- Stores an event for a user's event streams and notifies them at commit. Called under the user's row lock, so that ids grow
-- in commit order for each user and a stream that resumes after an id misses nothing.
create or replace function public.emit_event(p_user_id uuid, p_type text, p_job_id uuid, p_data jsonb) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.user_events (user_id, type, job_id, data)
  values (p_user_id, p_type, p_job_id, p_data);
  perform pg_catalog.pg_notify('user_events', p_user_id::text);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/notifications/emit_event.sql', '1823b0a3b1dab8d68b436e7c46b04f1bf10b26e28ef058a2de3d5a36eeab6faf')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/notifications/notify_access_change.sql sha256:e9733201d02febad4dadf179d17ae5b9abb7e504eddd38fa0e3118a18dbe917d
-- Notifies all servers when an account is banned or deleted, or one of its sessions ends, so that they end the open event streams
-- that this concerns. The argument is the name of the column with the account's id.
create or replace function public.notify_access_change() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_row jsonb;
begin
  if tg_op = 'DELETE' then
    v_row := to_jsonb(old);
  else
    v_row := to_jsonb(new);
  end if;
  perform pg_catalog.pg_notify('user_events', 'access:' || (v_row ->> tg_argv[0]));
  return null;
end
$$;

create or replace trigger user_bans_notify_access_change
  after insert on public.user_bans
  for each row execute function public.notify_access_change('user_id');

create or replace trigger users_notify_access_change
  after update of deleted_at on public.users
  for each row when (old.deleted_at is null and new.deleted_at is not null)
  execute function public.notify_access_change('id');
create or replace trigger users_removed_notify_access_change
  after delete on public.users
  for each row execute function public.notify_access_change('id');

create or replace trigger sessions_notify_access_change
  after update of revoked_at on public.sessions
  for each row when (old.revoked_at is null and new.revoked_at is not null)
  execute function public.notify_access_change('user_id');
-- No stream is open on a session that has expired: an access token ends long before.
create or replace trigger sessions_removed_notify_access_change
  after delete on public.sessions
  for each row when (old.revoked_at is null and old.expires_at > now())
  execute function public.notify_access_change('user_id');

insert into public.schema_history (name, hash) values ('procedures/notifications/notify_access_change.sql', 'e9733201d02febad4dadf179d17ae5b9abb7e504eddd38fa0e3118a18dbe917d')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/previous_version.sql sha256:2f16c20dc4b3483fe4db93b3a417ae48a2ae86d8e5a1af2443d5ea46c766ec82
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
drop function if exists public.begin_upload(
  uuid, text, text, integer, integer, integer, text, boolean, integer, bigint
);
drop function if exists public.onboard_device(text, text);
drop function if exists public.finish_generation(uuid, text, text, bigint, text, numeric);
drop function if exists public.broken_invariants();
drop function if exists public.prune_logs();
drop function if exists public.cancel_generation(uuid, uuid, uuid, text);

insert into public.schema_history (name, hash) values ('procedures/previous_version.sql', '2f16c20dc4b3483fe4db93b3a417ae48a2ae86d8e5a1af2443d5ea46c766ec82')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/queue/enqueue.sql sha256:5fdc273b7fe4f8c1d664ee09293bfc9f60641a80b3af4c5b13d82de89470518c
-- Adds a task to the queue, in the caller's transaction. At most one task of a key waits; a running task stays beside the new
-- one, so handlers compare the state before they change it. Many attempts, because jobs end by their own deadline.
create or replace function public.enqueue(
  p_task text,
  p_payload json,
  p_key text,
  p_delay_ms integer default 0,
  p_max_attempts integer default 1000
) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform graphile_worker.add_job(
    p_task,
    p_payload,
    run_at := clock_timestamp() + make_interval(secs => greatest(p_delay_ms, 0) / 1000.0),
    max_attempts := p_max_attempts,
    job_key := p_key
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/queue/enqueue.sql', '5fdc273b7fe4f8c1d664ee09293bfc9f60641a80b3af4c5b13d82de89470518c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/admit_upload.sql sha256:610efd16ecd16e9a058ff64268936aa3f63ccb6c1212243cef0f4b8f3b04b88b
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

insert into public.schema_history (name, hash) values ('procedures/storage/admit_upload.sql', '610efd16ecd16e9a058ff64268936aa3f63ccb6c1212243cef0f4b8f3b04b88b')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/adopt_media_store.sql sha256:1e4335030e13b16e7c593cffa5705b14f0ba2ea519066efe892d2864cd729b09
-- Records the id of the store that holds this database's files. The first one stays: returns the recorded id.
-- @returns string
create or replace function public.adopt_media_store(p_id uuid) returns uuid
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.settings set media_store_id = p_id, updated_at = now() where media_store_id is null;
  return (select media_store_id from public.settings);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/adopt_media_store.sql', '1e4335030e13b16e7c593cffa5705b14f0ba2ea519066efe892d2864cd729b09')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/begin_upload.sql sha256:0e14bc7a8a42e932a5e1f5b3fb99fcc0bbd9dbfd4ef8cbeaafae1141e1180339
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
  v_file text := 'user_uploads/' || p_user_id || '/' || v_id || '.' || case p_content_type
    when 'image/jpeg' then 'jpg'
    when 'image/png' then 'png'
    else 'webp'
  end;
  v_admitted jsonb;
begin
  -- Uploads of one account are admitted one after another, so that together they do not exceed its limit.
  perform from public.users where id = p_user_id for update;
  v_admitted := public.admit_upload(
    p_user_id, p_path, p_bytes, p_upsert, p_pictures_max, p_bytes_max, coalesce(p_bytes_max_unproven, p_bytes_max)
  );
  if v_admitted ->> 'outcome' <> 'admitted' then
    return v_admitted;
  end if;

  insert into public.uploads (id, user_id, path, file, content_type, bytes, width, height, sha256, metadata)
  values (
    v_id, p_user_id, p_user_id || '/~' || v_id, v_file, p_content_type, p_bytes, p_width, p_height, p_sha256, p_metadata
  );
  return jsonb_build_object('outcome', 'begun', 'id', v_id, 'file', v_file);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/begin_upload.sql', '0e14bc7a8a42e932a5e1f5b3fb99fcc0bbd9dbfd4ef8cbeaafae1141e1180339')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/expire_uploads.sql sha256:eaf51248365fcf0311c48e9f413ffd2eace5217214e66c5621a8ec337eebb0aa
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
      and u.updated_at < clock_timestamp() - make_interval(days => p_unused_days)
      and not exists (
        select from public.video_jobs j
        where j.user_id = u.user_id
          and j.image_url = u.path
          and (j.completed_at is null or j.created_at > clock_timestamp() - make_interval(days => p_unused_days))
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

insert into public.schema_history (name, hash) values ('procedures/storage/expire_uploads.sql', 'eaf51248365fcf0311c48e9f413ffd2eace5217214e66c5621a8ec337eebb0aa')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/finish_upload.sql sha256:205fc3e9719b225a78f541b6103b9101e2a9d64f828973124756bc1e95ffef35
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
  select user_id into v_user_id from public.uploads where id = p_id;
  if not found then
    return jsonb_build_object('outcome', 'gone');
  end if;
  perform from public.users where id = v_user_id for update;
  select * into v_upload from public.uploads where id = p_id for update;
  if not found then
    return jsonb_build_object('outcome', 'gone');
  elsif v_upload.stored_at is not null then
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

insert into public.schema_history (name, hash) values ('procedures/storage/finish_upload.sql', '205fc3e9719b225a78f541b6103b9101e2a9d64f828973124756bc1e95ffef35')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/forget_uploads.sql sha256:25b7ff3e8a45550b2fb1496534a97dc0e52db62d8fda81a41062a8aa9ec591bc
-- Deletes the rows of uploads whose files are not, or no longer, in the store. Rows that are in use stay. Returns how many
-- were deleted.
create or replace function public.forget_uploads(p_ids jsonb) returns integer
language sql
security definer
set search_path = ''
as $$
  with forgotten as (
    delete from public.uploads
    where id = any (array(select jsonb_array_elements_text(p_ids)::uuid)) and stored_at is null
    returning 1
  )
  select count(*)::integer from forgotten
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/forget_uploads.sql', '25b7ff3e8a45550b2fb1496534a97dc0e52db62d8fda81a41062a8aa9ec591bc')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/remove_uploads.sql sha256:99527308cef97bab6b1319be12872d82bafd4697967891e5384b61a9bffbc152
-- Hides uploads from their owner; the caller deletes the files and then the rows. Unknown paths are ignored. Returns the rows
-- as they were before.
-- @returns UploadRow[]
-- @type UploadRow {
--   id: string, user_id: string, path: string, file: string, content_type: string, bytes: number, width: number,
--   height: number, sha256: string, created_at: string, updated_at: string, stored_at: string | null,
--   metadata: unknown
-- }
create or replace function public.remove_uploads(p_user_id uuid, p_paths jsonb) returns jsonb
language sql
security definer
set search_path = ''
as $$
  with theirs as (
    select *
    from public.uploads
    where user_id = p_user_id
      and stored_at is not null
      and path in (select jsonb_array_elements_text(p_paths))
    for update
  ), hidden as (
    update public.uploads u
    set path = u.user_id || '/~' || u.id, stored_at = null, updated_at = clock_timestamp()
    from theirs
    where u.id = theirs.id
  )
  select coalesce(jsonb_agg(to_jsonb(theirs) order by path), '[]') from theirs
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/remove_uploads.sql', '99527308cef97bab6b1319be12872d82bafd4697967891e5384b61a9bffbc152')
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

-- source: grants-hosted.sql sha256:ea50dfbd16ffaf7d04097c69351dded69324437bd44038f5c6e43b08a45c3ef8
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

  -- The first folder of a path is its owner's id. Policies are OR-ed; only the policies with these names are replaced.
  drop policy if exists rendio_people_read_their_media on storage.objects;
  create policy rendio_people_read_their_media on storage.objects
    for select to authenticated
    using (
      bucket_id in ('videos', 'thumbnails', 'user_uploads')
      and (storage.foldername(name))[1] = (select public.current_user_id())::text
    );

  -- Of earlier versions, whose uploads passed by the server.
  drop policy if exists rendio_people_add_their_uploads on storage.objects;
  drop policy if exists rendio_people_replace_their_uploads on storage.objects;

  drop policy if exists rendio_people_remove_their_uploads on storage.objects;
  create policy rendio_people_remove_their_uploads on storage.objects
    for delete to authenticated
    using (bucket_id = 'user_uploads' and (storage.foldername(name))[1] = (select public.current_user_id())::text);
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

insert into public.schema_history (name, hash) values ('grants-hosted.sql', 'ea50dfbd16ffaf7d04097c69351dded69324437bd44038f5c6e43b08a45c3ef8')
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

-- source: grants.sql sha256:5a3a24553bc80e645a0917c6f8c9f0ec73a7e81d656d15bca5a4585340a1978f
-- Privileges. Applied again after every change in db/, so that it also revokes what is no longer granted.
-- rendio_server: the API and the worker. anon, authenticated: users, through PostgREST and Realtime. service_role: nothing here;
-- named because hosted databases grant everything to it (and to the other two) by default.

revoke all on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings, public.proven_devices
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
  public.complete_initial_grant(uuid, integer), public.complete_previous_rows, public.confirm_attempt, public.count_jobs,
  public.current_user_id, public.deduct_credits, public.delete_generation, public.emit_event, public.end_attempt,
  public.enqueue, public.expire_uploads, public.fail_attempt, public.fail_generation, public.find_response,
  public.finish_generation, public.finish_upload, public.forget_upload, public.forget_uploads,
  public.generation_price, public.guard_job_state,
  public.is_made, public.keep_default_price, public.lock_job, public.log_error, public.mark_submitted,
  public.note_provider_health, public.notify_access_change, public.onboard_device, public.open_device_session,
  public.open_session, public.prune_logs, public.rate_limit_state,
  public.record_progress, public.record_provider_event, public.record_provider_outcome, public.refuse_ledger_change,
  public.remove_uploads, public.requeue_orphans, public.rotate_session, public.schedule_cleanup, public.schedule_confirm,
  public.schedule_confirmation, public.schedule_poll, public.schedule_settle, public.schedule_stop,
  public.schedule_submit, public.stop_at_provider, public.store_response, public.take_rate_limit, public.update_profile,
  public.withdraw_initial_grant
from public, anon, authenticated, service_role, rendio_server;

grant usage on schema public to rendio_server, anon, authenticated;

-- The server may read everything, and write only through these procedures.
grant select on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings, public.proven_devices
to rendio_server;
grant execute on function
  public.admit_upload, public.adopt_media_store, public.announce_stream, public.begin_attempt, public.begin_generation,
  public.begin_upload, public.broken_invariants, public.cancel_generation, public.claim_initial_grant(uuid),
  public.claim_initial_grant(uuid, boolean), public.close_attempt, public.complete_initial_grant(uuid),
  public.complete_initial_grant(uuid, integer), public.confirm_attempt, public.current_user_id, public.delete_generation,
  public.end_attempt, public.expire_uploads, public.fail_attempt, public.fail_generation, public.finish_generation,
  public.finish_upload, public.forget_upload, public.forget_uploads, public.mark_submitted, public.note_provider_health,
  public.onboard_device, public.open_device_session, public.open_session, public.prune_logs, public.record_progress,
  public.record_provider_event, public.record_provider_outcome, public.remove_uploads, public.requeue_orphans,
  public.rotate_session, public.schedule_cleanup, public.schedule_confirm, public.schedule_confirmation,
  public.schedule_poll, public.schedule_settle, public.schedule_stop, public.schedule_submit, public.take_rate_limit,
  public.update_profile, public.withdraw_initial_grant
to rendio_server;

-- Users may read their own rows and the available models, by the row policies.
grant execute on function public.current_user_id to anon, authenticated;
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

insert into public.schema_history (name, hash) values ('grants.sql', '5a3a24553bc80e645a0917c6f8c9f0ec73a7e81d656d15bca5a4585340a1978f')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: seed/catalogue.sql sha256:787461bac66f8f74e7a50f5e4365534d0e46d8cc86ab4ba13d7e39ad75f6afe8
-- The initial models. Existing rows do not change: an administrator may have edited them.
insert into public.models (
  name, category, description, cost_per_generation, price_credits, price_per_seconds, provider, provider_model_id,
  is_featured, is_available, requires_image, prompt_max, settings_schema
)
select
  name, category, description, cost_per_generation, price_credits, price_per_seconds, provider, provider_model_id,
  is_featured, is_available, requires_image, prompt_max,
  jsonb_build_object(
    '$schema', 'https://json-schema.org/draft/2020-12/schema', 'type', 'object', 'properties', properties::jsonb
  )
from (
  values
    (
      'Sandbox', 'sandbox', 'A real video of your prompt, rendered on this machine. Needs no vendor account; good for testing.',
      1, null::integer, null::integer, 'sandbox', 'sandbox/clip', false, true, false, 2000,
      '{"duration": {"type": "integer", "minimum": 1, "maximum": 10, "default": 5},
        "resolution": {"type": "string", "enum": ["360p", "720p", "1080p"], "default": "720p"},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16", "1:1"], "default": "16:9"},
        "fps": {"type": "integer", "enum": [24, 30], "default": 24}}'
    ),
    (
      'Cinematic', 'cinematic', 'Cinematic scenes with realistic light and motion. Our highest video quality.',
      4, 1, 1, 'fal', 'fal-ai/veo3.1', true, true, false, 2000,
      '{"duration": {"type": "integer", "enum": [4, 6, 8], "default": 4},
        "resolution": {"type": "string", "enum": ["720p", "1080p"], "default": "720p"},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"},
        "audio": {"type": "boolean", "default": false}}'
    ),
    (
      'Cinematic Fast', 'cinematic', 'The cinematic look at half the price and in less time. Good for trying out ideas.',
      2, 1, 2, 'fal', 'fal-ai/veo3.1/fast', false, true, false, 2000,
      '{"duration": {"type": "integer", "enum": [4, 6, 8], "default": 4},
        "resolution": {"type": "string", "enum": ["720p", "1080p"], "default": "720p"},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"},
        "audio": {"type": "boolean", "default": false}}'
    ),
    (
      'Animate', 'image-to-video', 'Brings your image to life.',
      4, 1, 1, 'fal', 'fal-ai/veo3.1/image-to-video', false, true, true, 2000,
      '{"duration": {"type": "integer", "enum": [4, 6, 8], "default": 4},
        "resolution": {"type": "string", "enum": ["720p", "1080p"], "default": "720p"},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"},
        "audio": {"type": "boolean", "default": false}}'
    ),
    (
      'Kling', 'cinematic', 'Lively motion and camera moves.',
      2, 2, 5, 'fal', 'fal-ai/kling-video/v2.5-turbo/pro/text-to-video', false, true, false, 2000,
      '{"duration": {"type": "integer", "enum": [5, 10], "default": 5},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16", "1:1"], "default": "16:9"}}'
    ),
    (
      'Pika', 'creative', 'Playful, stylised clips in many aspect ratios.',
      3, 3, 5, 'pika', 'fal-ai/pika/v2.2/text-to-video', false, true, false, 2000,
      '{"duration": {"type": "integer", "enum": [5, 10], "default": 5},
        "resolution": {"type": "string", "enum": ["720p", "1080p"], "default": "720p"},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16", "1:1", "4:5", "5:4", "3:2", "2:3"], "default": "16:9"}}'
    ),
    (
      'Runway Gen-4.5', 'cinematic', 'Precise control: follows your description of a shot closely.',
      2, 1, 1, 'runway', 'gen4.5', false, true, false, 1000,
      '{"duration": {"type": "integer", "minimum": 2, "maximum": 10, "default": 2},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"}}'
    ),
    (
      'Runway Gen-4 Turbo', 'image-to-video', 'Animates your image quickly and at a low price.',
      1, 1, 2, 'runway', 'gen4_turbo', false, true, true, 1000,
      '{"duration": {"type": "integer", "minimum": 2, "maximum": 10, "default": 2},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"}}'
    ),
    -- Retired by its vendor on 2026-09-24. Kept for the history of earlier jobs.
    (
      'Sora 2', 'cinematic', 'Retired by its vendor.',
      4, null, null, 'fal', 'fal-ai/sora-2/text-to-video', false, false, false, 2000,
      '{"duration": {"type": "integer", "enum": [4, 8, 12], "default": 4}}'
    )
) as seed (
  name, category, description, cost_per_generation, price_credits, price_per_seconds, provider, provider_model_id,
  is_featured, is_available, requires_image, prompt_max, properties
)
on conflict (provider, provider_model_id) do nothing;

insert into public.schema_history (name, hash) values ('seed/catalogue.sql', '787461bac66f8f74e7a50f5e4365534d0e46d8cc86ab4ba13d7e39ad75f6afe8')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

reset check_function_bodies;

insert into public.schema_history (name, hash) values ('behaviour', '20261129000005')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
