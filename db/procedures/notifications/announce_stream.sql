-- Notifies the other servers that an account has opened an event stream here, so that its oldest one there may have to end.
create or replace function public.announce_stream(p_user_id uuid, p_server_id uuid) returns void
language sql
security definer
set search_path = ''
as $$
  select pg_catalog.pg_notify('user_events', 'stream:' || p_user_id || ':' || p_server_id)
$$;
