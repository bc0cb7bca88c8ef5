-- Records an event for the operator's own server and has the worker send it, in the transaction of what it tells of. Does nothing
-- unless a receiver is configured. `p_data` holds ids and numbers: it leaves this server.
create or replace function public.schedule_webhook(p_user_id uuid, p_type text, p_data jsonb) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  if not (select sends_webhooks from public.settings) then
    return;
  end if;
  insert into public.webhook_deliveries (user_id, type, payload) values (p_user_id, p_type, p_data);
  -- Without a key: transactions that add one task of a key wait for one another.
  perform public.enqueue('send_webhooks', '{}', null);
end
$$;
