-- Notes what has followed from a notification.
create or replace function public.finish_store_notification(p_store text, p_notification_id text, p_outcome text) returns void
language sql
security definer
set search_path = ''
as $$
  update public.store_notifications
  set outcome = p_outcome, processed_at = clock_timestamp()
  where store = p_store and notification_id = p_notification_id
$$;
