-- Notes what has followed from a notification, and whose purchase it names.
create or replace function public.finish_store_notification(p_store text, p_notification_id text, p_outcome text) returns void
language sql
security definer
set search_path = ''
as $$
  update public.store_notifications n
  set outcome = p_outcome,
      processed_at = clock_timestamp(),
      user_id = coalesce(
        n.user_id,
        (select p.user_id from public.purchases p where p.store = n.store and p.transaction_id = n.transaction_id)
      )
  where n.store = p_store and n.notification_id = p_notification_id
$$;
