-- Has the worker send a push. It records each failure of a send itself, so a task that fails is a fault on this side.
create or replace function public.schedule_push(p_push_id uuid, p_delay_ms integer default 0) returns void
language sql
security definer
set search_path = ''
as $$
  select public.enqueue('send_push', json_build_object('push_id', p_push_id), 'push:' || p_push_id, p_delay_ms, 25)
$$;
