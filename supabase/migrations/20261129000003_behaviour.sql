-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: procedures/accounts/claim_initial_grant.sql, procedures/accounts/complete_initial_grant.sql, procedures/accounts/onboard_device.sql, procedures/accounts/open_session.sql, procedures/accounts/rotate_session.sql, procedures/accounts/update_profile.sql, procedures/accounts/withdraw_initial_grant.sql, procedures/catalogue/generation_price.sql, procedures/catalogue/keep_default_price.sql, procedures/credits/add_credits.sql, procedures/credits/apply_credits.sql, procedures/credits/broken_invariants.sql, procedures/credits/deduct_credits.sql, procedures/credits/refuse_ledger_change.sql, procedures/generations/admit_to_provider.sql, procedures/generations/begin_attempt.sql, procedures/generations/begin_generation.sql, procedures/generations/cancel_generation.sql, procedures/generations/close_attempt.sql, procedures/generations/confirm_attempt.sql, procedures/generations/count_jobs.sql, procedures/generations/delete_generation.sql, procedures/generations/end_attempt.sql, procedures/generations/fail_attempt.sql, procedures/generations/fail_generation.sql, procedures/generations/finish_generation.sql, procedures/generations/guard_job_state.sql, procedures/generations/is_made.sql, procedures/generations/lock_job.sql, procedures/generations/mark_submitted.sql, procedures/generations/record_progress.sql, procedures/generations/record_provider_event.sql, procedures/generations/record_provider_outcome.sql, procedures/generations/requeue_orphans.sql, procedures/generations/schedule_cleanup.sql, procedures/generations/schedule_confirmation.sql, procedures/generations/schedule_poll.sql, procedures/generations/schedule_submit.sql, procedures/idempotency/find_response.sql, procedures/idempotency/store_response.sql, procedures/limits/cleanup_rate_limit_logs.sql, procedures/limits/rate_limit_state.sql, procedures/limits/take_rate_limit.sql, procedures/maintenance/log_error.sql, procedures/maintenance/prune_logs.sql, procedures/notifications/emit_event.sql, procedures/previous_version.sql, procedures/queue/enqueue.sql, procedures/storage/begin_upload.sql, procedures/storage/expire_uploads.sql, procedures/storage/finish_upload.sql, procedures/storage/forget_upload.sql, procedures/storage/remove_uploads.sql, grants.sql

set check_function_bodies = off;

-- source: procedures/accounts/claim_initial_grant.sql sha256:c96c21d2b71c5d14953be31dbcb02b42f33675495f4eaff0925738327ab0e678
-- Opens a claim to the device's grant before Apple is told, and returns the value of the second bit to write there. While
-- other claims are open the value differs from theirs, so that each account can tell later whether the update that Apple
-- took was its own. Where both values are in use, the older claims are given up: the grant is given at most once.
-- Null: this account has had its grant.
-- @returns boolean | null
create or replace function public.claim_initial_grant(p_user_id uuid, p_bit1 boolean) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_bit1 boolean := p_bit1;
begin
  perform from public.users where id = p_user_id and not initial_grant_claimed for update;
  if not found then
    return null;
  end if;
  if exists (select from public.device_grants where state = 'claiming' and bit1 = p_bit1 and user_id <> p_user_id) then
    v_bit1 := not p_bit1;
    update public.device_grants
    set state = 'void', settled_at = clock_timestamp()
    where state = 'claiming' and bit1 = v_bit1 and user_id <> p_user_id;
  end if;
  insert into public.device_grants (user_id, state, bit1)
  values (p_user_id, 'claiming', v_bit1)
  on conflict (user_id) do update set state = 'claiming', bit1 = excluded.bit1, settled_at = null
  where public.device_grants.state <> 'granted';
  return v_bit1;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/claim_initial_grant.sql', 'c96c21d2b71c5d14953be31dbcb02b42f33675495f4eaff0925738327ab0e678')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/complete_initial_grant.sql sha256:e39e5563886ad18ede228006048f9ed533e9b0ee629b91595b9f855fb7d95e78
-- Apple has recorded the grant: adds the credits, once. How many is the operator's setting, never the caller's word.
-- Returns the balance; null where the account is gone.
-- @returns number | null
create or replace function public.complete_initial_grant(p_user_id uuid) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_balance integer;
begin
  select credits_remaining into v_balance from public.users where id = p_user_id and deleted_at is null for update;
  update public.device_grants
  set state = 'granted', settled_at = clock_timestamp()
  where user_id = p_user_id and state = 'claiming';
  if found then
    update public.users set initial_grant_claimed = true, updated_at = now() where id = p_user_id;
    v_balance := (
      public.add_credits(
        p_user_id, (select initial_grant_credits from public.settings), 'initial_grant', 'initial_grant:' || p_user_id
      ) ->> 'credits_remaining'
    )::integer;
  end if;
  return v_balance;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/complete_initial_grant.sql', 'e39e5563886ad18ede228006048f9ed533e9b0ee629b91595b9f855fb7d95e78')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/onboard_device.sql sha256:03c1c44665519527ac448f6b78f6045936ae677948e806f2b216820cfbae369f
-- Finds or makes the account of a device. A device id never opens an account that has signed in with Apple: such an account
-- gives up the id, because its owner comes back through Apple; so does a deleted one. The device then starts a guest of its own.
-- `claiming`: a claim to the initial grant is open; `claimed_bit1`: the second bit that it writes at Apple.
-- @returns {
--   user_id: string, is_new: boolean, credits_remaining: number, initial_grant_claimed: boolean,
--   claiming: boolean, claimed_bit1: boolean | null
-- }
create or replace function public.onboard_device(p_device_id text, p_language text default 'en') returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
  v_grant public.device_grants;
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

  select * into v_grant from public.device_grants where user_id = v_user.id;
  return jsonb_build_object(
    'user_id', v_user.id,
    'is_new', v_is_new,
    'credits_remaining', v_user.credits_remaining,
    'initial_grant_claimed', v_user.initial_grant_claimed,
    'claiming', coalesce(v_grant.state = 'claiming', false),
    'claimed_bit1', v_grant.bit1
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/onboard_device.sql', '03c1c44665519527ac448f6b78f6045936ae677948e806f2b216820cfbae369f')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/open_session.sql sha256:6d93c47a3293202796be06b439ba79746d0b9baea67d176b7c4f8b13617d3b8f
-- Opens a session with its first refresh token, which is stored as a hash. Ends `p_lifetime_seconds` after the last refresh.
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

insert into public.schema_history (name, hash) values ('procedures/accounts/open_session.sql', '6d93c47a3293202796be06b439ba79746d0b9baea67d176b7c4f8b13617d3b8f')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/rotate_session.sql sha256:007d6921800e8480e7527d74fbc99c6ee7dc0c6ab2752505222e3d791cdd8e49
-- Trades a refresh token for the next one. The direct parent of the active token may be sent again, because its answer may
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

insert into public.schema_history (name, hash) values ('procedures/accounts/rotate_session.sql', '007d6921800e8480e7527d74fbc99c6ee7dc0c6ab2752505222e3d791cdd8e49')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/update_profile.sql sha256:b904e7994b3cfaeb36c3dda87f131f26d91a55390bde979146e1b1cc03666c7e
-- Null leaves a field as it is. False: the account is gone.
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

insert into public.schema_history (name, hash) values ('procedures/accounts/update_profile.sql', 'b904e7994b3cfaeb36c3dda87f131f26d91a55390bde979146e1b1cc03666c7e')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/accounts/withdraw_initial_grant.sql sha256:fc2ea25d14bd7bc50e115c5d6c6bb5ba1acda37640c151a676638c3662724b18
-- Closes a claim without credits: Apple refused the update, or its bits show that the update it took was another account's.
create or replace function public.withdraw_initial_grant(p_user_id uuid) returns void
language sql
security definer
set search_path = ''
as $$
  update public.device_grants
  set state = 'void', settled_at = clock_timestamp()
  where user_id = p_user_id and state = 'claiming'
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/withdraw_initial_grant.sql', 'fc2ea25d14bd7bc50e115c5d6c6bb5ba1acda37640c151a676638c3662724b18')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/catalogue/generation_price.sql sha256:aa507a992a6e3b758dd3d5aca1d4ff95131e1e448f8a6429004bde045da5f3b8
-- The price of one generation: flat, or for each started unit of seconds.
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

insert into public.schema_history (name, hash) values ('procedures/catalogue/generation_price.sql', 'aa507a992a6e3b758dd3d5aca1d4ff95131e1e448f8a6429004bde045da5f3b8')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/catalogue/keep_default_price.sql sha256:832a745d63b3613e75ceda7db84b15b8e796badce67c9f167e3bcc037252a708
-- cost_per_generation is what the default settings cost, so that the price list can never disagree with the charge.
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

insert into public.schema_history (name, hash) values ('procedures/catalogue/keep_default_price.sql', '832a745d63b3613e75ceda7db84b15b8e796badce67c9f167e3bcc037252a708')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/add_credits.sql sha256:92746ecf8eafe913f2595cfbc92222a2b06f7a156e487fab975570015bb7d5f3
-- Adds credits for a reason. With a transaction id at most once in the life of the system.
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

  -- Far below the largest integer, so that no sum of a balance can overflow.
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

insert into public.schema_history (name, hash) values ('procedures/credits/add_credits.sql', '92746ecf8eafe913f2595cfbc92222a2b06f7a156e487fab975570015bb7d5f3')
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

-- source: procedures/credits/broken_invariants.sql sha256:2e14962f4600c02da87534ad44e5dfeaeeca6ecb161ceda58ca8fed259a0590a
-- Every violation of a money rule that the data shows; no rows when all rules hold.
create or replace function public.broken_invariants()
returns table (invariant text, subject uuid, details jsonb)
language sql
stable
security definer
set search_path = ''
as $$
  select 'a balance equals the sum of its ledger rows', u.id,
    jsonb_build_object('balance', u.credits_remaining, 'sum', coalesce(l.total, 0))
  from public.users u
  left join (select user_id, sum(change) as total from public.quota_log group by user_id) l on l.user_id = u.id
  where u.credits_remaining <> coalesce(l.total, 0)
  union all
  select 'every row carries the balance after it', r.user_id,
    jsonb_build_object('row', r.id, 'balance_after', r.balance_after, 'sum', r.running)
  from (
    select user_id, id, balance_after, sum(change) over (partition by user_id order by seq) as running
    from public.quota_log
  ) r
  where r.balance_after <> r.running
  union all
  select 'a generation has one charge, of its price', j.job_id,
    jsonb_build_object('credits_used', j.credits_used, 'charged', c.charged, 'charges', c.charges)
  from public.video_jobs j
  cross join lateral (
    select count(*) as charges, -coalesce(sum(q.change), 0) as charged
    from public.quota_log q
    where q.job_id = j.job_id and q.reason = 'video_generation' and q.user_id = j.user_id
  ) c
  where c.charges <> 1 or c.charged <> j.credits_used
  union all
  select 'a failed generation has its credits back, once, and no other has', j.job_id,
    jsonb_build_object('status', j.status, 'refunds', r.refunds, 'refunded', r.refunded)
  from public.video_jobs j
  cross join lateral (
    select count(*) as refunds, coalesce(sum(q.change), 0) as refunded
    from public.quota_log q
    where q.job_id = j.job_id and q.reason = 'generation_failed_refund'
  ) r
  where (j.status = 'failed' and (r.refunds <> 1 or r.refunded <> j.credits_used))
    or (j.status <> 'failed' and r.refunds <> 0)
  union all
  select 'the lifetime total counts grants and purchases', u.id,
    jsonb_build_object('credits_total', u.credits_total, 'sum', coalesce(l.earned, 0))
  from public.users u
  left join (
    select user_id, sum(change) as earned
    from public.quota_log
    where reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed')
    group by user_id
  ) l on l.user_id = u.id
  where u.credits_total <> coalesce(l.earned, 0)
    and not exists (select from public.quota_log m where m.user_id = u.id and m.reason = 'account_merge')
  union all
  select 'job counters say what the jobs say', coalesce(k.user_id, n.user_id),
    jsonb_build_object('status', coalesce(k.status, n.status), 'kept', k.jobs, 'counted', n.jobs)
  from public.job_counters k
  full join (
    select user_id, status, count(*) as jobs from public.video_jobs where deleted_at is null group by user_id, status
  ) n on n.user_id = k.user_id and n.status = k.status
  where coalesce(k.jobs, 0) <> coalesce(n.jobs, 0)
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/broken_invariants.sql', '2e14962f4600c02da87534ad44e5dfeaeeca6ecb161ceda58ca8fed259a0590a')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/deduct_credits.sql sha256:0e1f58da9a2f5c6c62803b57ca65cd9d2d7e52580fa3827f96422a0b4d87762a
-- Takes credits for a reason; never below zero.
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

insert into public.schema_history (name, hash) values ('procedures/credits/deduct_credits.sql', '0e1f58da9a2f5c6c62803b57ca65cd9d2d7e52580fa3827f96422a0b4d87762a')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/refuse_ledger_change.sql sha256:6e0b0da26a3b67f1240df89a677543a93fe79d08b37a0e95231a375be9043ba5
-- The ledger is append-only, for the tables' owner too.
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

insert into public.schema_history (name, hash) values ('procedures/credits/refuse_ledger_change.sql', '6e0b0da26a3b67f1240df89a677543a93fe79d08b37a0e95231a375be9043ba5')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/admit_to_provider.sql sha256:bc95af3ea13f47c2393d642edc584d0fa268c12b7b0f3b9d7d3ea722a663d4d1
-- Whether a job may be sold on the provider now: 0, or the seconds until the next try. While the circuit is open, the caller
-- that gets 0 has taken the one try of this half minute.
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

insert into public.schema_history (name, hash) values ('procedures/generations/admit_to_provider.sql', 'bc95af3ea13f47c2393d642edc584d0fa268c12b7b0f3b9d7d3ea722a663d4d1')
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

-- source: procedures/generations/cancel_generation.sql sha256:51270ed5a37ae1546bfef26b228a72f57b77f69fdc5851dc9bd3704f178b3d09
-- Stops a generation for its owner and refunds it. With a key, a repeat gets the first answer. `final`: the job has ended, or
-- its video is made.
-- @returns {outcome: 'cancelled' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'key_reused' | 'not_found'}
--   | {outcome: 'final', status: string}
create or replace function public.cancel_generation(
  p_user_id uuid,
  p_job_id uuid,
  p_idempotency_key uuid default null,
  p_request_hash text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs;
  v_earlier jsonb;
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
  -- A provider that has made the video has billed it: nothing is left to stop, and the video is on its way here.
  if public.is_made(p_job_id) or not public.fail_generation(p_job_id, 'ERR_5004') then
    return jsonb_build_object('outcome', 'final', 'status', v_job.status);
  end if;

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

insert into public.schema_history (name, hash) values ('procedures/generations/cancel_generation.sql', '51270ed5a37ae1546bfef26b228a72f57b77f69fdc5851dc9bd3704f178b3d09')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/close_attempt.sql sha256:1f53ba27cd3ddeee0e1505fecd6afdf9b68444bb7afc51da10643c0b6e3d954f
-- Closes an attempt that was not accepted and after which the job goes on: `retryable` or `unknown`. False: it was closed
-- before, and stays as it is.
create or replace function public.close_attempt(p_attempt_id uuid, p_state text, p_error text) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  -- The version before this one says `refused`.
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

insert into public.schema_history (name, hash) values ('procedures/generations/close_attempt.sql', '1f53ba27cd3ddeee0e1505fecd6afdf9b68444bb7afc51da10643c0b6e3d954f')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/confirm_attempt.sql sha256:2b9c9425f351b1129616b06bf0acc3187ca4d23eb9bfa2ad81408a2ef3f21b35
-- The provider has said, asked with our key, that it has the job under this id: this ends the attempt whose outcome was unknown.
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

insert into public.schema_history (name, hash) values ('procedures/generations/confirm_attempt.sql', '2b9c9425f351b1129616b06bf0acc3187ca4d23eb9bfa2ad81408a2ef3f21b35')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/count_jobs.sql sha256:eeae51597b033a4beddeee81661ae9c3472c10f6c4cfb033b3b6d20b486fe9f8
-- Keeps job_counters, so that totals are read instead of counted.
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

insert into public.schema_history (name, hash) values ('procedures/generations/count_jobs.sql', 'eeae51597b033a4beddeee81661ae9c3472c10f6c4cfb033b3b6d20b486fe9f8')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/delete_generation.sql sha256:3caafc64686c49160c62ccb64297303f9c52f326ee261b88e5a6511b9a350422
-- Hides a finished job from its owner and has its files deleted. Repeating it is a success.
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

insert into public.schema_history (name, hash) values ('procedures/generations/delete_generation.sql', '3caafc64686c49160c62ccb64297303f9c52f326ee261b88e5a6511b9a350422')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/end_attempt.sql sha256:6cda29973d680582890317cd7ce1c5b1ef464029025a1349cce39905d4de995a
-- What came of the attempt that the provider had accepted: completed | failed | stopped. Written once.
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

insert into public.schema_history (name, hash) values ('procedures/generations/end_attempt.sql', '6cda29973d680582890317cd7ce1c5b1ef464029025a1349cce39905d4de995a')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/fail_attempt.sql sha256:b6d3c76390d8b7c9f7838999d658c9f8f797e26b15d55dd53b4859a2d83e2735
-- Closes an attempt that was not accepted (`retryable` for the last time, or `declined`) and fails its job, as fail_generation
-- does, in one transaction: a crash between the two would leave a job without the reason for its failure.
-- `final`: the job had ended before. `closed`: the attempt had; the job goes on.
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
  -- The version before this one says `refused` and `rejected`.
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

insert into public.schema_history (name, hash) values ('procedures/generations/fail_attempt.sql', 'b6d3c76390d8b7c9f7838999d658c9f8f797e26b15d55dd53b4859a2d83e2735')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/fail_generation.sql sha256:7f899b590fe6daa1b0bb4481b59e4262cedeb2e50b7ad04927c35896223ecac2
-- pending | processing → failed, with the charge refunded, once. False: the job is final already. `p_reason` picks one of the
-- code's sentences for the owner; `p_cause` is for operators.
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

insert into public.schema_history (name, hash) values ('procedures/generations/fail_generation.sql', '7f899b590fe6daa1b0bb4481b59e4262cedeb2e50b7ad04927c35896223ecac2')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/finish_generation.sql sha256:51799b36d180d16b0423131d2f7056c3da95b3c074437d0cc907c18cbe697a04
-- processing → completed, once. False: the job is final already, and the caller deletes the file that it stored.
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

insert into public.schema_history (name, hash) values ('procedures/generations/finish_generation.sql', '51799b36d180d16b0423131d2f7056c3da95b3c074437d0cc907c18cbe697a04')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/guard_job_state.sql sha256:f51de529070d43d2d03e518d8d8a7589231661729edd6270e93fda38cd88713c
-- A second guard below the procedures' own comparisons: no update of a job, by whatever path, may skip a state or go back.
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

insert into public.schema_history (name, hash) values ('procedures/generations/guard_job_state.sql', 'f51de529070d43d2d03e518d8d8a7589231661729edd6270e93fda38cd88713c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/is_made.sql sha256:304456cafd0fd199a220b8561aa0248fa4701c2e8fd62d94a5fce44598168ff7
-- Whether the provider has said that the video is made. From then on one task delivers it, and it cannot be cancelled.
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

insert into public.schema_history (name, hash) values ('procedures/generations/is_made.sql', '304456cafd0fd199a220b8561aa0248fa4701c2e8fd62d94a5fce44598168ff7')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/lock_job.sql sha256:46cf198e70e6b71809b52dc04360cb44a31366dd13933bae2971cd45f1e334ad
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
    -- A merge may have moved the job to another account while we waited.
    exit when v_job.user_id = v_user_id;
  end loop;
  return v_job;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/lock_job.sql', '46cf198e70e6b71809b52dc04360cb44a31366dd13933bae2971cd45f1e334ad')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/mark_submitted.sql sha256:af98da83ddd06c46545e577e1853ff77852c2174959d2325b82b072945853336
-- The provider has the job: pending → processing, under the provider's id; also from an attempt whose outcome was unknown.
-- `superseded`: an event has brought another id for this job. `taken`: another job of ours has this id.
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
    -- The video is no longer wanted. A task tells the provider, so that a crash of the caller cannot lose that.
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

insert into public.schema_history (name, hash) values ('procedures/generations/mark_submitted.sql', 'af98da83ddd06c46545e577e1853ff77852c2174959d2325b82b072945853336')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/record_progress.sql sha256:49f875d74c8d332b34e913f14ca7eb8a81852ba80cc8e29e74750862749912f4
-- What the provider says of a running job. Emits an event only where something changed; progress never goes back.
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

insert into public.schema_history (name, hash) values ('procedures/generations/record_progress.sql', '49f875d74c8d332b34e913f14ca7eb8a81852ba80cc8e29e74750862749912f4')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/record_provider_event.sql sha256:92c685ce125724a3119994d907d9aed659d496bce0a488a4bbc2e17e67f5e28f
-- Records a verified event once, and polls or confirms the job that it names. An event that names no job of ours leaves no row:
-- a vendor signs for all its customers, and any of them can send events here. `p_providers`: the providers that the sender
-- may speak for. Effects as in the table.
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
    -- Locked, so that a submit which is being stored right now is seen with its answer.
    v_job := public.lock_job(p_job_id);
    if not p_providers ? v_job.provider then
      v_job := null;
    end if;
  end if;
  if v_job.job_id is null then
    return jsonb_build_object('outcome', 'foreign');
  end if;

  if v_job.status = 'processing' and v_job.provider_job_id = p_provider_job_id then
    -- Once the video is made a task is delivering it: a second one would fetch it twice.
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

insert into public.schema_history (name, hash) values ('procedures/generations/record_provider_event.sql', '92c685ce125724a3119994d907d9aed659d496bce0a488a4bbc2e17e67f5e28f')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/record_provider_outcome.sql sha256:f93cf3e262076b2f1c65834a1f619a738749894495988eee04f9354d03780024
-- The circuit breaker of a provider, told how a job went: `turned_away` (its submit was not taken), `unanswered` (its outcome is
-- unknown, which is no failure, though many in a row are an outage), `failed` (taken, and the provider made no video),
-- `accepted`, `completed`. Declined requests are not reported here: they say nothing about the provider's health.
-- Five distinct failed jobs in a row, or ten unanswered ones, open the circuit: the provider's models are not sold, except
-- for one job every 30 seconds, until one goes well. Null: nothing has changed.
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
    -- Jobs failed after they were taken, so a job that is taken proves nothing yet.
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

insert into public.schema_history (name, hash) values ('procedures/generations/record_provider_outcome.sql', 'f93cf3e262076b2f1c65834a1f619a738749894495988eee04f9354d03780024')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/requeue_orphans.sql sha256:4e81ae977bab6521c45f1e5982a8e93f6eaea9800a0e64ccc6fc6da636bf1e40
-- Gives every unfinished job without a queue task its task back. A backstop: tasks are added in the transaction that makes
-- them necessary. Returns how many.
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
      -- Whether the provider has this one is unknown: an event or the deadline decides.
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

insert into public.schema_history (name, hash) values ('procedures/generations/requeue_orphans.sql', '4e81ae977bab6521c45f1e5982a8e93f6eaea9800a0e64ccc6fc6da636bf1e40')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/schedule_cleanup.sql sha256:ee3064b2e61e635bde1f3faa57297529f7714b94736500a689510c961e25af48
-- Has the worker clean up after a job that has ended: tell the provider to stop, delete what is no longer needed.
create or replace function public.schedule_cleanup(p_job_id uuid, p_delay_ms integer default 0) returns void
language sql
security definer
set search_path = ''
as $$
  select public.enqueue(
    'clean_up_generation', json_build_object('job_id', p_job_id), 'clean_up:' || p_job_id, p_delay_ms, 25
  )
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/schedule_cleanup.sql', 'ee3064b2e61e635bde1f3faa57297529f7714b94736500a689510c961e25af48')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/schedule_confirmation.sql sha256:63bd33fae453b5511ae3e1fb4cd8f3fa7b98c3585c7c22b348e1468e56ffcab7
-- Asks the provider, after a while, whether the job that an event names is ours: a vendor signs the events of all its
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

insert into public.schema_history (name, hash) values ('procedures/generations/schedule_confirmation.sql', '63bd33fae453b5511ae3e1fb4cd8f3fa7b98c3585c7c22b348e1468e56ffcab7')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/schedule_poll.sql sha256:205bfc351312d797cf2bfcf04a9554a5f0682c7f4dcb32fa33f66186e01a8d22
-- Polls the provider again after a while. A poll that is due sooner stays: an event may have come during the last one.
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

insert into public.schema_history (name, hash) values ('procedures/generations/schedule_poll.sql', '205bfc351312d797cf2bfcf04a9554a5f0682c7f4dcb32fa33f66186e01a8d22')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/schedule_submit.sql sha256:73a5f6dec93202da986b0744597e50d7b62a67743a161d79badbde95de1e61c6
-- Sends the job to its provider again after a while: the last attempt was not accepted. The last thing that a submit does, so
-- that two submits of one job never run side by side.
create or replace function public.schedule_submit(p_job_id uuid, p_delay_ms integer) returns void
language sql
security definer
set search_path = ''
as $$
  select public.enqueue(
    'submit_generation', json_build_object('job_id', p_job_id), 'submit:' || p_job_id, p_delay_ms
  )
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/schedule_submit.sql', '73a5f6dec93202da986b0744597e50d7b62a67743a161d79badbde95de1e61c6')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/idempotency/find_response.sql sha256:6f50803c556bfa4590d1dfa2b356709f60cdf50452efa0d8ca30c13eaa4846d0
-- The answer that was stored under a user's idempotency key. Null: the key is free, or none was sent.
-- Called under the user's row lock: of two racing calls with one key, the second waits there and then finds the first's answer.
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

insert into public.schema_history (name, hash) values ('procedures/idempotency/find_response.sql', '6f50803c556bfa4590d1dfa2b356709f60cdf50452efa0d8ca30c13eaa4846d0')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/idempotency/store_response.sql sha256:9b723f3c18f12e7aef37bf9037ddd09133334e11f93a7ebb8198b90944e768ee
-- Stores the answer of an operation under the user's idempotency key, in the transaction that did the work. An expired key
-- may be used again; the primary key refuses a second answer under a live one.
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

insert into public.schema_history (name, hash) values ('procedures/idempotency/store_response.sql', '9b723f3c18f12e7aef37bf9037ddd09133334e11f93a7ebb8198b90944e768ee')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/limits/cleanup_rate_limit_logs.sql sha256:2c0d63d063052e40def261cbfa7c578715466d9b04d845696fd77805cdbdfbdd
-- Keeps 7 days, far more than the longest window of a limit. Returns how many rows were deleted.
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

insert into public.schema_history (name, hash) values ('procedures/limits/cleanup_rate_limit_logs.sql', '2c0d63d063052e40def261cbfa7c578715466d9b04d845696fd77805cdbdfbdd')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/limits/rate_limit_state.sql sha256:260277ce8cfa477e48391344f607afa56dfe33af7c42e8cb59b1f36e82db8450
-- How many slots of a window are taken and, where it is full, when the next one comes free. Counts rows that no user can
-- delete. `p_limit` null: no limit.
create or replace function public.rate_limit_state(
  p_action text,
  p_user_id uuid,
  p_address inet,
  p_limit integer,
  p_window interval
) returns jsonb
language sql
stable
security definer
set search_path = ''
as $$
  with taken as (
    select count(*)::integer as n, min(r.created_at) as oldest
    from (
      select created_at
      from public.rate_limit_log
      where action = p_action
        and (p_user_id is null or user_id = p_user_id)
        and (p_address is null or ip_address = p_address)
        and created_at > clock_timestamp() - p_window
      order by created_at desc
      limit p_limit
    ) r
  )
  select jsonb_build_object(
    'limit', p_limit,
    'window_seconds', extract(epoch from p_window)::integer,
    'remaining', greatest(p_limit - n, 0),
    'reset_seconds', greatest(1, ceil(extract(epoch from coalesce(oldest, clock_timestamp()) + p_window - clock_timestamp())))::integer,
    'allowed', n < p_limit
  )
  from taken
$$;

insert into public.schema_history (name, hash) values ('procedures/limits/rate_limit_state.sql', '260277ce8cfa477e48391344f607afa56dfe33af7c42e8cb59b1f36e82db8450')
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

-- source: procedures/maintenance/log_error.sql sha256:930038d7a95aea52b1e5e8d5711226d8d1774962cb3465e65ccd280d71607924
-- Writes an error for operators. `p_request_data` arrives redacted.
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

insert into public.schema_history (name, hash) values ('procedures/maintenance/log_error.sql', '930038d7a95aea52b1e5e8d5711226d8d1774962cb3465e65ccd280d71607924')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/maintenance/prune_logs.sql sha256:b9daae357cb22c3e55583aa8723a051a2e86695886d480c08f40c099cb2b31e7
-- Deletes rows whose retention has passed; never a user, a job or a ledger row. Returns how many, by kind.
-- @returns {
--   rate_limit_rows: number, idempotency_keys: number, events: number, sessions: number, errors: number,
--   provider_events: number
-- }
create or replace function public.prune_logs() returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_keys integer;
  v_events integer;
  v_sessions integer;
  v_errors integer;
  v_provider_events integer;
begin
  delete from public.idempotency_log where expires_at < now();
  get diagnostics v_keys = row_count;
  -- A stream resumes after the last event it sent; after a day the app reads the list again instead.
  delete from public.user_events where created_at < now() - interval '1 day';
  get diagnostics v_events = row_count;
  -- Kept for a month after the end, so that "session expired" and "no such session" remain two answers.
  delete from public.sessions where expires_at < now() - interval '30 days';
  get diagnostics v_sessions = row_count;
  delete from public.error_log where created_at < now() - interval '90 days';
  get diagnostics v_errors = row_count;
  -- Vendors repeat an event for hours at most.
  delete from public.provider_events where created_at < now() - interval '30 days';
  get diagnostics v_provider_events = row_count;
  return jsonb_build_object(
    'rate_limit_rows', public.cleanup_rate_limit_logs(),
    'idempotency_keys', v_keys,
    'events', v_events,
    'sessions', v_sessions,
    'errors', v_errors,
    'provider_events', v_provider_events
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/maintenance/prune_logs.sql', 'b9daae357cb22c3e55583aa8723a051a2e86695886d480c08f40c099cb2b31e7')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/notifications/emit_event.sql sha256:69506a1ab880d92050a1ef66ff1b85c78b1adde54214699b93d149274dedb0b7
-- Writes an event for a user's event streams and wakes them at commit. Called under the user's row lock, so that ids grow
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

insert into public.schema_history (name, hash) values ('procedures/notifications/emit_event.sql', '69506a1ab880d92050a1ef66ff1b85c78b1adde54214699b93d149274dedb0b7')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/previous_version.sql sha256:860df8bcd09dceab7e853baa9ff2b556886a0f6e6bae570e3537ac06ef838279
-- What servers of the version before this one call, while they run beside new ones. Deleted with the next version.

create or replace function public.complete_initial_grant(p_user_id uuid, p_amount integer) returns integer
language sql
security definer
set search_path = ''
as $$
  select public.complete_initial_grant(p_user_id)
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

-- Their calls that began before the upgrade still write what only the version before knew.
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

-- Named arguments call the new one just as well.
drop function if exists public.begin_generation(
  uuid, uuid, text, uuid, text, jsonb, text, inet, integer, integer, integer, integer
);
drop function if exists public.finish_generation(uuid, text, text, bigint, text, numeric);
drop function if exists public.stop_at_provider(uuid);

insert into public.schema_history (name, hash) values ('procedures/previous_version.sql', '860df8bcd09dceab7e853baa9ff2b556886a0f6e6bae570e3537ac06ef838279')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/queue/enqueue.sql sha256:527f7a84835d27b2421a6ff3b225363e2cbdbfc3375f5efab72a36942aca4594
-- Adds a task to the queue, in the caller's transaction. At most one task of a key waits; a task that is running stays
-- beside the new one, so handlers compare before they set. Deadlines are ours, hence the many attempts.
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

insert into public.schema_history (name, hash) values ('procedures/queue/enqueue.sql', '527f7a84835d27b2421a6ff3b225363e2cbdbfc3375f5efab72a36942aca4594')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/begin_upload.sql sha256:ebbe929637c518728ef5b98f6eb662a46e50c410d3ec0d4a259db4621db167da
-- Makes the row of a file that is not stored yet. Every version of an upload is a row and a file of its own, named by its id, so
-- that two writers of one path never touch each other's file. A row with stored_at is what its owner sees. A row without is
-- on its way in or out; its path, `<user_id>/~<id>`, is a name that no caller can give.
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
  p_bytes_max bigint
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
  v_pictures integer;
  v_bytes bigint;
begin
  perform from public.users where id = p_user_id and deleted_at is null for update;
  if not found then
    return jsonb_build_object('outcome', 'user_not_found');
  end if;
  if exists (select from public.user_bans where user_id = p_user_id) then
    return jsonb_build_object('outcome', 'banned');
  end if;
  if not p_upsert and exists (select from public.uploads where path = p_path) then
    return jsonb_build_object('outcome', 'exists');
  end if;

  -- Uploads on their way count too, so that many at once do not exceed the limit; the one that is replaced does not.
  select count(*), coalesce(sum(bytes), 0) into v_pictures, v_bytes
  from public.uploads
  where user_id = p_user_id and path <> p_path;
  if v_pictures >= p_pictures_max or v_bytes + p_bytes > p_bytes_max then
    return jsonb_build_object('outcome', 'full', 'pictures_max', p_pictures_max, 'bytes_max', p_bytes_max);
  end if;

  insert into public.uploads (id, user_id, path, file, content_type, bytes, width, height, sha256)
  values (v_id, p_user_id, p_user_id || '/~' || v_id, v_file, p_content_type, p_bytes, p_width, p_height, p_sha256);
  return jsonb_build_object('outcome', 'begun', 'id', v_id, 'file', v_file);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/begin_upload.sql', 'ebbe929637c518728ef5b98f6eb662a46e50c410d3ec0d4a259db4621db167da')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/expire_uploads.sql sha256:d3fee5b302362c998b79ead3270eac7e06423f78748e1b531db51f363f6cf81c
-- Hides uploads that were neither used nor written for so many days, the oldest first. Returns how many.
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

insert into public.schema_history (name, hash) values ('procedures/storage/expire_uploads.sql', 'd3fee5b302362c998b79ead3270eac7e06423f78748e1b531db51f363f6cf81c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/finish_upload.sql sha256:48e7b16d649dd845f776583cb7fd1d3248bb800e6f03fa37367ff63065493692
-- The file is stored: from now on the path names it. `replaced`: the version before, whose file may be deleted. `exists`:
-- another upload was first, and nothing was to be replaced. `gone`: the upload was given up meanwhile.
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

insert into public.schema_history (name, hash) values ('procedures/storage/finish_upload.sql', '48e7b16d649dd845f776583cb7fd1d3248bb800e6f03fa37367ff63065493692')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/forget_upload.sql sha256:07a49051df9b2d24bfaacbe71982a9700ea59b42d3a5a65c7f3a67a9f1cd4122
-- Deletes the row of an upload whose file is not in the store, or no longer. False: the row is in use.
create or replace function public.forget_upload(p_id uuid) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  delete from public.uploads where id = p_id and stored_at is null;
  return found;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/forget_upload.sql', '07a49051df9b2d24bfaacbe71982a9700ea59b42d3a5a65c7f3a67a9f1cd4122')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/remove_uploads.sql sha256:c3b9579a2a58dad3a238707ff43ef3c43a1a89abd300263c67e7969bd0111051
-- Hides uploads from their owner; the caller deletes the files and then the rows. Unknown paths are ignored. Returns the rows
-- as they were.
-- @returns UploadRow[]
-- @type UploadRow {
--   id: string, user_id: string, path: string, file: string, content_type: string, bytes: number, width: number,
--   height: number, sha256: string, created_at: string, updated_at: string, stored_at: string | null
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

insert into public.schema_history (name, hash) values ('procedures/storage/remove_uploads.sql', 'c3b9579a2a58dad3a238707ff43ef3c43a1a89abd300263c67e7969bd0111051')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: grants-queue.sql sha256:e2e9472948d4dfa012015ed57c17f72c679c0894877c11fe58a0a343e5ac1421
-- The worker runs as the server's role, which the queue's own migrations know nothing of. Without the policies it would
-- see no jobs, silently.
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

insert into public.schema_history (name, hash) values ('grants-queue.sql', 'e2e9472948d4dfa012015ed57c17f72c679c0894877c11fe58a0a343e5ac1421')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: grants-hosted.sql sha256:8e40c4b83020224f1f66acb7cdf82133270b0ebc6e37dae4a32b91db8eb6f6b7
-- For databases that Supabase keeps: who may touch media through its Storage, and what its Realtime sends. Elsewhere these
-- schemas do not exist, and nothing happens here.

-- Private buckets. Only the server, which is not bound by these policies, writes videos and thumbnails.
do $$
begin
  if to_regclass('storage.buckets') is null or to_regclass('storage.objects') is null then
    return;
  end if;

  insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
  values
    ('videos', 'videos', false, 524288000, array['video/mp4', 'video/quicktime', 'video/webm']),
    ('thumbnails', 'thumbnails', false, 10485760, array['image/jpeg', 'image/png', 'image/webp']),
    ('user_uploads', 'user_uploads', false, 10485760, array['image/jpeg', 'image/png', 'image/webp'])
  on conflict (id) do update set
    public = excluded.public,
    file_size_limit = excluded.file_size_limit,
    allowed_mime_types = excluded.allowed_mime_types;

  -- The first folder of a path is its owner. Policies are OR-ed: these names are ours, others' are left alone.
  drop policy if exists rendio_people_read_their_media on storage.objects;
  create policy rendio_people_read_their_media on storage.objects
    for select to authenticated
    using (
      bucket_id in ('videos', 'thumbnails', 'user_uploads')
      and (storage.foldername(name))[1] = (select public.current_user_id())::text
    );

  drop policy if exists rendio_people_add_their_uploads on storage.objects;
  create policy rendio_people_add_their_uploads on storage.objects
    for insert to authenticated
    with check (
      bucket_id = 'user_uploads' and (storage.foldername(name))[1] = (select public.current_user_id())::text
    );

  drop policy if exists rendio_people_replace_their_uploads on storage.objects;
  create policy rendio_people_replace_their_uploads on storage.objects
    for update to authenticated
    using (bucket_id = 'user_uploads' and (storage.foldername(name))[1] = (select public.current_user_id())::text)
    with check (
      bucket_id = 'user_uploads' and (storage.foldername(name))[1] = (select public.current_user_id())::text
    );

  drop policy if exists rendio_people_remove_their_uploads on storage.objects;
  create policy rendio_people_remove_their_uploads on storage.objects
    for delete to authenticated
    using (bucket_id = 'user_uploads' and (storage.foldername(name))[1] = (select public.current_user_id())::text);
end
$$;

-- Realtime sends the changes of a published table to those who may read the row: people_read_their_jobs decides.
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

insert into public.schema_history (name, hash) values ('grants-hosted.sql', '8e40c4b83020224f1f66acb7cdf82133270b0ebc6e37dae4a32b91db8eb6f6b7')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: grants.sql sha256:e482071e13d8b18350fbdd198c5a9a4964478c02ae937e8850f4d7a984027466
-- Who may do what. Applied again after every change in db/, so it also takes back what nobody may do any more.
-- rendio_server: the API and the worker. anon, authenticated: users, through PostgREST and Realtime. service_role: nothing here;
-- named because hosted databases grant everything to it (and to the other two) by default.

revoke all on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings
from public, anon, authenticated, service_role, rendio_server;

revoke all on sequence
  public.video_jobs_seq_seq, public.quota_log_seq_seq, public.user_events_id_seq, public.rate_limit_log_id_seq,
  public.error_log_id_seq, public.admin_actions_id_seq, public.provider_events_id_seq
from public, anon, authenticated, service_role, rendio_server;

-- Every function of ours. Those that are not granted again below are called by other procedures alone; so are the two that move
-- credits for any reason, add_credits and deduct_credits.
revoke all on function
  public.add_credits, public.admit_to_provider, public.apply_credits, public.begin_attempt, public.begin_generation,
  public.begin_upload, public.broken_invariants, public.cancel_generation, public.claim_initial_grant,
  public.cleanup_rate_limit_logs, public.close_attempt, public.complete_initial_grant(uuid),
  public.complete_initial_grant(uuid, integer), public.complete_previous_rows, public.confirm_attempt, public.count_jobs,
  public.current_user_id, public.deduct_credits, public.delete_generation, public.emit_event, public.end_attempt,
  public.enqueue, public.expire_uploads, public.fail_attempt, public.fail_generation, public.find_response,
  public.finish_generation, public.finish_upload, public.forget_upload, public.generation_price, public.guard_job_state,
  public.is_made, public.keep_default_price, public.lock_job, public.log_error, public.mark_submitted,
  public.note_provider_health, public.onboard_device, public.open_session, public.prune_logs, public.rate_limit_state,
  public.record_progress, public.record_provider_event, public.record_provider_outcome, public.refuse_ledger_change,
  public.remove_uploads, public.requeue_orphans, public.rotate_session, public.schedule_cleanup, public.schedule_confirm,
  public.schedule_confirmation, public.schedule_poll, public.schedule_settle, public.schedule_stop,
  public.schedule_submit, public.store_response, public.take_rate_limit, public.update_profile,
  public.withdraw_initial_grant
from public, anon, authenticated, service_role, rendio_server;

grant usage on schema public to rendio_server, anon, authenticated;

-- The server reads everything and writes nothing but through these procedures.
grant select on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings
to rendio_server;
grant execute on function
  public.begin_attempt, public.begin_generation, public.begin_upload, public.broken_invariants,
  public.cancel_generation, public.claim_initial_grant, public.close_attempt, public.complete_initial_grant(uuid),
  public.complete_initial_grant(uuid, integer), public.confirm_attempt, public.current_user_id,
  public.delete_generation, public.end_attempt, public.expire_uploads, public.fail_attempt, public.fail_generation,
  public.finish_generation, public.finish_upload, public.forget_upload, public.mark_submitted,
  public.note_provider_health, public.onboard_device, public.open_session, public.prune_logs, public.record_progress,
  public.record_provider_event, public.record_provider_outcome, public.remove_uploads, public.requeue_orphans,
  public.rotate_session, public.schedule_cleanup, public.schedule_confirm, public.schedule_confirmation,
  public.schedule_poll, public.schedule_settle, public.schedule_stop, public.schedule_submit, public.take_rate_limit,
  public.update_profile, public.withdraw_initial_grant
to rendio_server;

-- Users: their own rows and the models on offer, as the row policies say.
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

insert into public.schema_history (name, hash) values ('grants.sql', 'e482071e13d8b18350fbdd198c5a9a4964478c02ae937e8850f4d7a984027466')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

reset check_function_bodies;
