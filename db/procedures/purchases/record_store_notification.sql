-- Records what a store has told us, once, and has the worker process it. `p_outcome`: it has no effect, and this is why; it is not
-- processed. False: it was recorded before.
create or replace function public.record_store_notification(
  p_store text,
  p_notification_id text,
  p_type text,
  p_signed_at timestamptz,
  p_payload text,
  p_subtype text default null,
  p_environment text default null,
  p_transaction_id text default null,
  p_outcome text default null
) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.store_notifications (
    store, notification_id, type, subtype, environment, transaction_id, signed_at, payload, outcome, processed_at
  )
  values (
    p_store, p_notification_id, p_type, p_subtype, p_environment, p_transaction_id, p_signed_at, p_payload, p_outcome,
    case when p_outcome is not null then clock_timestamp() end
  )
  on conflict (store, notification_id) do nothing;
  if not found then
    return false;
  end if;
  if p_outcome is null then
    perform public.schedule_store_notification(p_store, p_notification_id);
  end if;
  return true;
end
$$;
