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
