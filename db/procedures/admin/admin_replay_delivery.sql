-- Sends an outgoing webhook or a push once more, by an administrator's decision, also one that was delivered: with the same webhook-id, and with
-- all attempts again. Sending goes on, if the receiver had said that it is gone. `off`: no receiver is configured.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found' | 'off'}
create or replace function public.admin_replay_delivery(p_by jsonb, p_delivery_id uuid, p_reason text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_replay_delivery');
  v_user_id uuid := coalesce(
    (select user_id from public.webhook_deliveries where id = p_delivery_id),
    (select user_id from public.pushes where id = p_delivery_id)
  );
  v_delivery public.webhook_deliveries;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  -- Before the delivery's row, as a merge does. The row of admin_actions refers to it.
  perform from public.users where id = v_user_id for key share;
  select * into v_delivery from public.webhook_deliveries where id = p_delivery_id for update;
  if not found then
    if not public.replay_push(p_delivery_id) then
      return jsonb_build_object('outcome', 'not_found');
    end if;
    return public.finish_admin_action(
      p_by, 'admin_replay_delivery', 'push_replay', p_reason,
      jsonb_build_object('user_id', v_user_id, 'target', p_delivery_id),
      jsonb_build_object('success', true)
    );
  end if;
  if not (select sends_webhooks from public.settings) then
    return jsonb_build_object('outcome', 'off');
  end if;
  update public.webhook_deliveries
  set state = 'pending', attempts = 0, delivered_at = null, next_attempt_at = clock_timestamp()
  where id = p_delivery_id;
  perform public.resume_webhooks();
  return public.finish_admin_action(
    p_by, 'admin_replay_delivery', 'delivery_replay', p_reason,
    jsonb_build_object(
      'user_id', v_user_id,
      'target', p_delivery_id,
      'details', jsonb_build_object('type', v_delivery.type, 'state', v_delivery.state)
    ),
    jsonb_build_object('success', true)
  );
end
$$;
