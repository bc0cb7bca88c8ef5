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
