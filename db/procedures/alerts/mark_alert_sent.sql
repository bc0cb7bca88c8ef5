-- Notes that a receiver has the alert, so that a repeated task does not send it there again.
create or replace function public.mark_alert_sent(p_alert_id uuid, p_receiver text) returns void
language sql
security definer
set search_path = ''
as $$
  update public.alerts
  set sent_to = sent_to || p_receiver
  where id = p_alert_id and not p_receiver = any (sent_to)
$$;
