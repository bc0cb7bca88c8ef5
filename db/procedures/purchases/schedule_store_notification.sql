-- Has the worker process a recorded notification.
create or replace function public.schedule_store_notification(p_store text, p_notification_id text) returns void
language sql
security definer
set search_path = ''
as $$
  select public.enqueue(
    'process_store_notification',
    json_build_object('store', p_store, 'notification_id', p_notification_id),
    'notification:' || p_store || ':' || p_notification_id
  )
$$;
