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
