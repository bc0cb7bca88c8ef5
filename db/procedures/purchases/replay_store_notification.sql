-- Has the worker process a notification once more. False: there is none with this id.
create or replace function public.replay_store_notification(p_store text, p_notification_id text) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.store_notifications
  set outcome = null, processed_at = null
  where store = p_store and notification_id = p_notification_id and payload is not null;
  if not found then
    return false;
  end if;
  perform public.schedule_store_notification(p_store, p_notification_id);
  return true;
end
$$;
