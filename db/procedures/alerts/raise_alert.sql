-- Records an alert and has the worker send it, once for each cause (`p_kind` and `p_subject`) and hour. Returns whether it is the
-- first of the hour. `p_details` holds ids and numbers alone: they leave this server.
create or replace function public.raise_alert(p_kind text, p_subject text default '', p_details jsonb default '{}') returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_hour timestamptz := date_trunc('hour', clock_timestamp(), 'UTC');
  v_id uuid;
begin
  insert into public.alerts (kind, subject, hour, details)
  values (p_kind, p_subject, v_hour, p_details)
  on conflict (kind, subject, hour) do nothing
  returning id into v_id;
  if v_id is null then
    return false;
  end if;
  -- Before all other tasks: an alert may be about a queue that is long. With the queue's growing waits, ten attempts last for hours.
  perform graphile_worker.add_job(
    'send_alert',
    json_build_object('alert_id', v_id),
    max_attempts := 10,
    job_key := 'alert:' || p_kind || ':' || p_subject || ':' || extract(epoch from v_hour)::bigint,
    priority := -10
  );
  return true;
end
$$;
