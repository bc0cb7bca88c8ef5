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
