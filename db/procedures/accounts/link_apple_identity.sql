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
