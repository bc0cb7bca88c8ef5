-- Has the worker process the notifications with an id once more, of whichever store. `erased`: their text was deleted with the
-- account. The owner's alone.
-- @owner
-- @returns 'replayed' | 'erased' | 'not_found'
create or replace function public.owner_replays_notification(p_notification_id text) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_found integer;
  v_replayed integer;
begin
  -- Apple writes its UUIDs in small letters; other stores' ids mean their case.
  select count(*), count(*) filter (where public.replay_store_notification(store, notification_id))
  into v_found, v_replayed
  from public.store_notifications
  where notification_id in (p_notification_id, lower(p_notification_id));
  if v_replayed = 0 then
    return case when v_found > 0 then 'erased' else 'not_found' end;
  end if;
  perform public.record_owner_action('notification_replay', p_target => p_notification_id);
  return 'replayed';
end
$$;
