-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.

-- source: procedures/accounts.sql sha256:e7e25915d6554a2c7f664a8d10b995896f19e8b0191f1c6433f978fea71ad4fd
-- Accounts known by a device, and the grant that each physical device gets once. Lock order: users, then the rest.

-- Finds or makes the account of a device. A device id never opens an account that has signed in with Apple: such an
-- account lets go of it, since its owner comes back through Apple, and so does a deleted one; the device then starts a
-- guest of its own.
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

-- Notes that this account is about to take its device's grant, before Apple hears of it, and answers with the second bit
-- to write there. While other accounts' claims hang in the air the bit differs from theirs, so that each can tell later
-- whether the update that went through was its own. Where both values are taken, the older claims are given up: the
-- grant is handed out at most once.
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

-- Apple has recorded the grant: the credits, once. Returns the balance.
create or replace function public.complete_initial_grant(p_user_id uuid, p_amount integer) returns integer
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
      public.add_credits(p_user_id, p_amount, 'initial_grant', 'initial_grant:' || p_user_id) ->> 'credits_remaining'
    )::integer;
  end if;
  return v_balance;
end
$$;

-- Apple refused the update for certain, or its bits show that the update that went through was another account's.
create or replace function public.withdraw_initial_grant(p_user_id uuid) returns void
language sql
security definer
set search_path = ''
as $$
  update public.device_grants
  set state = 'void', settled_at = clock_timestamp()
  where user_id = p_user_id and state = 'claiming'
$$;

create or replace function public.update_profile(p_user_id uuid, p_language text, p_theme_preference text) returns boolean
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

-- A new session with its first refresh token (kept as a hash). Slides for p_lifetime_seconds from each refresh.
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

-- Rotates a refresh token. The immediate parent of the active token may ask again, since its answer may have been lost,
-- and is told the active token's nonce; anything older was stolen or replayed, and closes the whole session.
-- Returns {outcome} = rotated | active {nonce} (both with user_id, session_id) | not_found | session_expired |
-- session_revoked | banned | reused.
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

insert into public.schema_history (name, hash) values ('procedures/accounts.sql', 'e7e25915d6554a2c7f664a8d10b995896f19e8b0191f1c6433f978fea71ad4fd')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/catalogue.sql sha256:246bd5a6804a3f4b3f5f4b875a1d607a6c22391500e570c9e8ff9f3253c89181
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

insert into public.schema_history (name, hash) values ('procedures/catalogue.sql', '246bd5a6804a3f4b3f5f4b875a1d607a6c22391500e570c9e8ff9f3253c89181')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits.sql sha256:bc1e426cb2285bb65f50eb9edc8564a1e2ed98756803400df19ce68c255978a2
-- Lock order, everywhere: users, then video_jobs, then the rest (rate-limit addresses last).
-- Only this file writes users.credits_remaining, users.credits_total and quota_log.

-- Writes one ledger row and the balance that follows from it, and tells the user's apps.
-- Null when p_transaction_id was already used. The caller holds the user's row lock and has judged the amount.
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
    -- The ledger row's id: an app that hears of it here and reads it in the history knows it for the same.
    jsonb_build_object('credits_remaining', v_balance, 'change', p_change, 'reason', p_reason, 'transaction_id', v_id)
  );
  return v_balance;
end
$$;

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

  -- A balance or a lifetime total past what an integer holds is nobody's wish.
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

-- Every broken promise about money that the data can show; no rows when all is well.
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

insert into public.schema_history (name, hash) values ('procedures/credits.sql', 'bc1e426cb2285bb65f50eb9edc8564a1e2ed98756803400df19ce68c255978a2')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/events.sql sha256:45680b29a5c79ea599db0c2731e8395ad10237053b01b2fc8a5c6d3bc300e2ec
-- Tells a user's apps. Written under the user's row lock, so that ids grow in commit order for each user and a stream
-- that remembers the last id it sent loses nothing. The notification is delivered at commit.
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

insert into public.schema_history (name, hash) values ('procedures/events.sql', '45680b29a5c79ea599db0c2731e8395ad10237053b01b2fc8a5c6d3bc300e2ec')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations.sql sha256:9c5f9836e44948ce85fa2927e766ff4f83655d32c80ec4a1f83003420b276c1a
-- The life of a generation. Lock order: users, then video_jobs, then the rest (rate-limit addresses last).
-- Every procedure may be repeated and raced: states are compared before they are set, and final ones never change.

-- A second guard under the procedures' own comparisons: whoever updates a job, by whatever path, walks this path.
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

-- How many slots of a window are taken and, where it is full, when the next one comes free.
-- Null limit: no limit. Counts rows that no user can delete.
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

-- Takes one slot of an address's window, in a transaction of its own: for calls that have no account yet.
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

-- Charges for one generation and sets it going: replay, limits, price, charge, job, queue task, events and the
-- idempotency record are one transaction. Returns {outcome} = created | replayed | key_reused | user_not_found | banned |
-- model_unavailable | rate_limited {scope, …} | insufficient_credits {required, available}.
create or replace function public.begin_generation(
  p_user_id uuid,
  p_idempotency_key uuid,
  p_request_hash text,
  p_model_id uuid,
  p_prompt text,
  p_settings jsonb,
  p_image_url text,
  p_address inet,
  p_limit_account integer,
  p_limit_address integer,
  p_limit_in_flight integer,
  p_deadline_seconds integer
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
  v_model public.models;
  v_logged public.idempotency_log;
  v_account_state jsonb;
  v_address_state jsonb;
  v_price integer;
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

  -- Under the user's lock: of two racing calls with one key, the second waits here and then finds the first's answer.
  select * into v_logged
  from public.idempotency_log
  where user_id = p_user_id and idempotency_key = p_idempotency_key and expires_at > clock_timestamp();
  if found then
    if v_logged.request_hash <> p_request_hash or v_logged.operation_type <> 'generate_video' then
      return jsonb_build_object('outcome', 'key_reused');
    end if;
    return jsonb_build_object(
      'outcome', 'replayed', 'status_code', v_logged.status_code, 'response', v_logged.response_data
    );
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
  v_charge := public.deduct_credits(p_user_id, v_price, 'video_generation', v_job_id);
  if not (v_charge ->> 'success')::boolean then
    return jsonb_build_object(
      'outcome', 'insufficient_credits', 'required', v_price, 'available', v_user.credits_remaining
    );
  end if;

  insert into public.video_jobs (
    job_id, user_id, model_id, model_name, provider, provider_model_id, prompt, settings, image_url, credits_used,
    deadline_at
  )
  values (
    v_job_id, p_user_id, v_model.id, v_model.name, v_model.provider, v_model.provider_model_id, p_prompt, p_settings,
    p_image_url, v_price, clock_timestamp() + make_interval(secs => p_deadline_seconds)
  );

  v_response := jsonb_build_object('job_id', v_job_id, 'status', 'pending', 'credits_used', v_price);
  -- An expired key may be used again; a live one was found above, and the primary key stands behind both.
  delete from public.idempotency_log
  where user_id = p_user_id and idempotency_key = p_idempotency_key and expires_at <= clock_timestamp();
  insert into public.idempotency_log (
    user_id, idempotency_key, job_id, operation_type, request_hash, response_data, status_code
  )
  values (p_user_id, p_idempotency_key, v_job_id, 'generate_video', p_request_hash, v_response, 200);

  insert into public.rate_limit_log (action, user_id, ip_address) values ('generations', p_user_id, p_address);
  perform public.emit_event(p_user_id, 'queued', v_job_id, '{}');
  perform graphile_worker.add_job(
    'submit_generation',
    json_build_object('job_id', v_job_id),
    max_attempts := 1000,
    job_key := 'submit:' || v_job_id
  );

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

-- Locks a job behind its user, in the house's order, whatever the caller knows of it.
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

-- Claims the right to hand a job to its provider. Returns {outcome} = claimed (nothing was sent before) | resumed (a
-- worker died on this attempt, bytes may have left), both with attempt_id and attempt, its number from 1 | unknown |
-- rejected | submitted | final | not_found.
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
  elsif v_attempt.state in ('unknown', 'rejected') then
    return jsonb_build_object('outcome', v_attempt.state);
  end if;

  insert into public.provider_attempts (job_id, attempt, provider, provider_model_id)
  values (p_job_id, coalesce(v_attempt.attempt, 0) + 1, v_job.provider, v_job.provider_model_id)
  returning * into v_attempt;
  return jsonb_build_object('outcome', 'claimed', 'attempt_id', v_attempt.id, 'attempt', v_attempt.attempt);
end
$$;

-- Closes an attempt that was not accepted: refused | rejected | unknown. Closed attempts stay as they are.
create or replace function public.close_attempt(p_attempt_id uuid, p_state text, p_error text) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  if p_state is null or p_state not in ('refused', 'rejected', 'unknown') then
    raise exception 'an attempt is not closed as %', p_state using errcode = 'invalid_parameter_value';
  end if;
  update public.provider_attempts
  set state = p_state, error = left(p_error, 4000), closed_at = clock_timestamp()
  where id = p_attempt_id and state = 'submitting';
  return found;
end
$$;

-- The provider has the job: pending → processing, under the provider's id. Also from an attempt whose outcome was unknown.
-- Returns {outcome} = submitted | already | final | not_found.
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

  update public.provider_attempts
  set state = 'accepted',
      provider_job_id = p_provider_job_id,
      vendor_request_id = p_vendor_request_id,
      closed_at = clock_timestamp()
  where id = p_attempt_id and job_id = p_job_id and state in ('submitting', 'unknown');

  if v_job.completed_at is not null then
    return jsonb_build_object('outcome', 'final');
  elsif v_job.status = 'processing' then
    return jsonb_build_object('outcome', 'already');
  end if;

  update public.video_jobs
  set status = 'processing', provider_job_id = p_provider_job_id, submitted_at = clock_timestamp()
  where job_id = p_job_id and status = 'pending';
  perform public.emit_event(
    v_job.user_id, 'processing', p_job_id, jsonb_build_object('progress', null, 'queue_position', null)
  );
  perform graphile_worker.add_job(
    'settle_generation',
    json_build_object('job_id', p_job_id),
    max_attempts := 1000,
    job_key := 'settle:' || p_job_id
  );
  return jsonb_build_object('outcome', 'submitted');
end
$$;

-- Hands the job to its provider again after a while: it has turned the last attempt away, or may not have heard of it.
-- The last thing that a submit does, so that two of one job never run side by side.
create or replace function public.schedule_submit(p_job_id uuid, p_delay_ms integer) returns void
language sql
security definer
set search_path = ''
as $$
  select graphile_worker.add_job(
    'submit_generation',
    json_build_object('job_id', p_job_id),
    run_at := clock_timestamp() + make_interval(secs => greatest(p_delay_ms, 0) / 1000.0),
    max_attempts := 1000,
    job_key := 'submit:' || p_job_id
  )
$$;

-- Asks the provider again after a while: for those that are asked minutes long, with seconds between the questions.
create or replace function public.schedule_settle(p_job_id uuid, p_delay_ms integer) returns void
language sql
security definer
set search_path = ''
as $$
  select graphile_worker.add_job(
    'settle_generation',
    json_build_object('job_id', p_job_id),
    run_at := clock_timestamp() + make_interval(secs => greatest(p_delay_ms, 0) / 1000.0),
    max_attempts := 1000,
    job_key := 'settle:' || p_job_id
  )
$$;

-- What the provider says of a running job; an event only where it is news. Progress never runs backwards.
create or replace function public.record_progress(p_job_id uuid, p_progress integer, p_queue_position integer)
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

-- processing → completed, once. False where the job is final already: the caller then removes the file it stored.
create or replace function public.finish_generation(
  p_job_id uuid,
  p_video_path text,
  p_thumbnail_path text,
  p_video_bytes bigint,
  p_video_sha256 text,
  p_video_seconds numeric
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

-- pending | processing → failed, with the charge given back, once. False where the job is final already.
create or replace function public.fail_generation(
  p_job_id uuid,
  p_error_code text,
  p_cause text default null
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
  set status = 'failed', error_code = p_error_code, queue_position = null, completed_at = clock_timestamp()
  where job_id = p_job_id and status in ('pending', 'processing');

  -- The refund equals the charge, because it is read from it; a unique index allows one for each job.
  perform public.apply_credits(v_job.user_id, -q.change, 'generation_failed_refund', p_job_id, null)
  from public.quota_log q
  where q.job_id = p_job_id and q.reason = 'video_generation';

  perform public.emit_event(
    v_job.user_id,
    'failed',
    p_job_id,
    jsonb_build_object('error_code', p_error_code, 'refunded', v_job.credits_used)
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
  perform public.stop_at_provider(p_job_id);
  return true;
end
$$;

-- Has the worker tell the provider to stop, and clear what was stored on the way.
create or replace function public.stop_at_provider(p_job_id uuid) returns void
language sql
security definer
set search_path = ''
as $$
  select graphile_worker.add_job(
    'stop_generation',
    json_build_object('job_id', p_job_id),
    max_attempts := 25,
    job_key := 'stop:' || p_job_id
  )
$$;

-- The user stops a generation and has the credits back. With a key, a repeat gets the first answer.
-- Returns {outcome} = cancelled | replayed | key_reused | final {status} | not_found.
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
  v_logged public.idempotency_log;
  v_response jsonb;
begin
  perform from public.users where id = p_user_id for update;
  select * into v_logged
  from public.idempotency_log
  where user_id = p_user_id and idempotency_key = p_idempotency_key and expires_at > clock_timestamp();
  if found then
    if v_logged.request_hash <> p_request_hash or v_logged.operation_type <> 'cancel_video_job' then
      return jsonb_build_object('outcome', 'key_reused');
    end if;
    return jsonb_build_object(
      'outcome', 'replayed', 'status_code', v_logged.status_code, 'response', v_logged.response_data
    );
  end if;

  select * into v_job
  from public.video_jobs
  where job_id = p_job_id and user_id = p_user_id and deleted_at is null
  for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  if not public.fail_generation(p_job_id, 'ERR_5004') then
    return jsonb_build_object('outcome', 'final', 'status', v_job.status);
  end if;

  select jsonb_build_object(
    'success', true, 'refunded', v_job.credits_used, 'credits_remaining', u.credits_remaining
  )
  into v_response
  from public.users u
  where u.id = p_user_id;
  if p_idempotency_key is not null then
    delete from public.idempotency_log
    where user_id = p_user_id and idempotency_key = p_idempotency_key and expires_at <= clock_timestamp();
    insert into public.idempotency_log (
      user_id, idempotency_key, job_id, operation_type, request_hash, response_data, status_code
    )
    values (p_user_id, p_idempotency_key, p_job_id, 'cancel_video_job', p_request_hash, v_response, 200);
  end if;
  return jsonb_build_object('outcome', 'cancelled', 'status_code', 200, 'response', v_response);
end
$$;

-- Takes a finished job out of the user's sight; its files go with it. Repeating it is a success.
-- Returns deleted | running | not_found.
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
    perform public.stop_at_provider(p_job_id);
  end if;
  return 'deleted';
end
$$;

-- Gives every unfinished job without a queue task its task back. A backstop: tasks are added with the state they serve.
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
    select j.job_id, case j.status when 'pending' then 'submit' else 'settle' end as task
    from public.video_jobs j
    where j.status in ('pending', 'processing')
      and j.deadline_at > clock_timestamp()
      and j.created_at < clock_timestamp() - interval '30 seconds'
      and not exists (
        select from graphile_worker.jobs q where q.key in ('submit:' || j.job_id, 'settle:' || j.job_id)
      )
      -- Nobody can tell whether the provider has this one: it waits for news or for its deadline.
      and not exists (
        select from public.provider_attempts a where a.job_id = j.job_id and a.state = 'unknown'
      )
    limit p_limit
  loop
    perform graphile_worker.add_job(
      v_job.task || '_generation',
      json_build_object('job_id', v_job.job_id),
      max_attempts := 1000,
      job_key := v_job.task || ':' || v_job.job_id
    );
    v_count := v_count + 1;
  end loop;
  -- The queue waits longer after each failure, up to hours; a paid generation has no such time.
  perform graphile_worker.reschedule_jobs(array_agg(q.id), run_at := clock_timestamp(), attempts := 0)
  from graphile_worker.jobs q
  where q.task_identifier in ('submit_generation', 'settle_generation')
    and q.locked_at is null
    and q.attempts > 2
    and q.run_at > clock_timestamp() + interval '15 seconds'
  having count(*) > 0;
  return v_count;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations.sql', '9c5f9836e44948ce85fa2927e766ff4f83655d32c80ec4a1f83003420b276c1a')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/ledger_guard.sql sha256:5758dd7e0a688223f900f4af446f6ad309d656c5e62aad95502c109059e87ee8
-- The ledger only grows: rows are never changed or taken away, by anybody, not even by the tables' owner.
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

insert into public.schema_history (name, hash) values ('procedures/ledger_guard.sql', '5758dd7e0a688223f900f4af446f6ad309d656c5e62aad95502c109059e87ee8')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/maintenance.sql sha256:b6349d5e0d2d3ed4099457ea15a544804a87008cc29a68a11340f4ea4f848d6a
-- What the operators read later; request_data arrives redacted.
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

-- Keeps 7 days: far more than the longest window that a limit looks back on.
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

-- Removes what has served its time. Never a user, a job or a ledger row.
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
begin
  delete from public.idempotency_log where expires_at < now();
  get diagnostics v_keys = row_count;
  -- A stream resumes from the last event it saw; after a day an app reads the list anew instead.
  delete from public.user_events where created_at < now() - interval '1 day';
  get diagnostics v_events = row_count;
  -- Expired a month ago: long enough for "session expired" to be told apart from "never heard of".
  delete from public.sessions where expires_at < now() - interval '30 days';
  get diagnostics v_sessions = row_count;
  delete from public.error_log where created_at < now() - interval '90 days';
  get diagnostics v_errors = row_count;
  return jsonb_build_object(
    'rate_limit_rows', public.cleanup_rate_limit_logs(),
    'idempotency_keys', v_keys,
    'events', v_events,
    'sessions', v_sessions,
    'errors', v_errors
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/maintenance.sql', 'b6349d5e0d2d3ed4099457ea15a544804a87008cc29a68a11340f4ea4f848d6a')
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

-- source: grants.sql sha256:551ef59c9226a5b306ac85ddf9f695df0dfe0f105fd885d1caada1a29e546368
-- Who may do what. Applied anew after every change in db/, so it also takes back what nobody may do any more.
-- rendio_server: the API and the worker. anon, authenticated: people, through PostgREST and Realtime. service_role: may do
-- nothing here; named because hosted databases grant everything to it (and to the other two) by default.

revoke all on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history
from public, anon, authenticated, service_role, rendio_server;

revoke all on sequence
  public.video_jobs_seq_seq, public.quota_log_seq_seq, public.user_events_id_seq, public.rate_limit_log_id_seq,
  public.error_log_id_seq, public.admin_actions_id_seq
from public, anon, authenticated, service_role, rendio_server;

-- Every function of ours. Those that are not granted again below are called by other procedures alone.
revoke all on function
  public.add_credits, public.apply_credits, public.begin_attempt, public.begin_generation, public.broken_invariants,
  public.cancel_generation, public.claim_initial_grant, public.cleanup_rate_limit_logs, public.close_attempt,
  public.complete_initial_grant, public.count_jobs, public.current_user_id, public.deduct_credits,
  public.delete_generation, public.emit_event, public.fail_generation, public.finish_generation,
  public.generation_price, public.guard_job_state, public.keep_default_price, public.lock_job, public.log_error,
  public.mark_submitted, public.onboard_device, public.open_session, public.prune_logs, public.rate_limit_state,
  public.record_progress, public.refuse_ledger_change, public.requeue_orphans, public.rotate_session,
  public.schedule_settle, public.schedule_submit, public.stop_at_provider, public.take_rate_limit,
  public.update_profile, public.withdraw_initial_grant
from public, anon, authenticated, service_role, rendio_server;

grant usage on schema public to rendio_server, anon, authenticated;

-- The server reads everything and writes nothing but through these procedures.
grant select on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history
to rendio_server;
grant execute on function
  public.add_credits, public.begin_attempt, public.begin_generation, public.broken_invariants, public.cancel_generation,
  public.claim_initial_grant, public.close_attempt, public.complete_initial_grant, public.current_user_id,
  public.deduct_credits, public.delete_generation, public.fail_generation, public.finish_generation,
  public.generation_price, public.log_error, public.mark_submitted, public.onboard_device, public.open_session,
  public.prune_logs, public.rate_limit_state, public.record_progress, public.requeue_orphans, public.rotate_session,
  public.schedule_settle, public.schedule_submit, public.take_rate_limit, public.update_profile,
  public.withdraw_initial_grant
to rendio_server;

-- People: their own rows and the models on offer, as the row policies say.
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

insert into public.schema_history (name, hash) values ('grants.sql', '551ef59c9226a5b306ac85ddf9f695df0dfe0f105fd885d1caada1a29e546368')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: seed/catalogue.sql sha256:aa30aebdfc48335b9f6c9725718699026d22291574df95cf9de9919f2cadaecc
-- The models on offer from the first day. Rows that are there already stay as an administrator left them.
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
      'Sandbox', 'sandbox', 'A real video of your prompt, rendered on this machine. Free of vendors, for trying things out.',
      1, null::integer, null::integer, 'sandbox', 'sandbox/clip', false, true, false, 2000,
      '{"duration": {"type": "integer", "minimum": 1, "maximum": 10, "default": 5},
        "resolution": {"type": "string", "enum": ["360p", "720p", "1080p"], "default": "720p"},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16", "1:1"], "default": "16:9"},
        "fps": {"type": "integer", "enum": [24, 30], "default": 24}}'
    ),
    (
      'Cinematic', 'cinematic', 'Film-like scenes with convincing light and motion. The best picture on offer.',
      4, 1, 1, 'fal', 'fal-ai/veo3.1', true, true, false, 2000,
      '{"duration": {"type": "integer", "enum": [4, 6, 8], "default": 4},
        "resolution": {"type": "string", "enum": ["720p", "1080p"], "default": "720p"},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"},
        "audio": {"type": "boolean", "default": false}}'
    ),
    (
      'Cinematic Fast', 'cinematic', 'The film look at half the price, in less time. Good for trying ideas.',
      2, 1, 2, 'fal', 'fal-ai/veo3.1/fast', false, true, false, 2000,
      '{"duration": {"type": "integer", "enum": [4, 6, 8], "default": 4},
        "resolution": {"type": "string", "enum": ["720p", "1080p"], "default": "720p"},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"},
        "audio": {"type": "boolean", "default": false}}'
    ),
    (
      'Animate', 'image-to-video', 'Brings your picture to life.',
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
      'Pika', 'creative', 'Playful, stylised clips in many shapes.',
      3, 3, 5, 'pika', 'fal-ai/pika/v2.2/text-to-video', false, true, false, 2000,
      '{"duration": {"type": "integer", "enum": [5, 10], "default": 5},
        "resolution": {"type": "string", "enum": ["720p", "1080p"], "default": "720p"},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16", "1:1", "4:5", "5:4", "3:2", "2:3"], "default": "16:9"}}'
    ),
    (
      'Runway Gen-4.5', 'cinematic', 'Precise direction: follows a described shot closely.',
      2, 1, 1, 'runway', 'gen4.5', false, true, false, 1000,
      '{"duration": {"type": "integer", "minimum": 2, "maximum": 10, "default": 2},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"}}'
    ),
    (
      'Runway Gen-4 Turbo', 'image-to-video', 'Animates your picture quickly and cheaply.',
      1, 1, 2, 'runway', 'gen4_turbo', false, true, true, 1000,
      '{"duration": {"type": "integer", "minimum": 2, "maximum": 10, "default": 2},
        "aspect_ratio": {"type": "string", "enum": ["16:9", "9:16"], "default": "16:9"}}'
    ),
    -- Retired by its vendor on 2026-09-24: kept so that history keeps its name.
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

insert into public.schema_history (name, hash) values ('seed/catalogue.sql', 'aa30aebdfc48335b9f6c9725718699026d22291574df95cf9de9919f2cadaecc')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
