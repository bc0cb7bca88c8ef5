-- Notifies all servers when an account is banned or deleted, or one of its sessions ends, so that they end the open event streams
-- that this concerns. The argument is the name of the column with the account's id.
create or replace function public.notify_access_change() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_row jsonb;
begin
  if tg_op = 'DELETE' then
    v_row := to_jsonb(old);
  else
    v_row := to_jsonb(new);
  end if;
  perform pg_catalog.pg_notify('user_events', 'access:' || (v_row ->> tg_argv[0]));
  return null;
end
$$;

create or replace trigger user_bans_notify_access_change
  after insert on public.user_bans
  for each row execute function public.notify_access_change('user_id');

create or replace trigger users_notify_access_change
  after update of deleted_at on public.users
  for each row when (old.deleted_at is null and new.deleted_at is not null)
  execute function public.notify_access_change('id');
create or replace trigger users_removed_notify_access_change
  after delete on public.users
  for each row execute function public.notify_access_change('id');

create or replace trigger sessions_notify_access_change
  after update of revoked_at on public.sessions
  for each row when (old.revoked_at is null and new.revoked_at is not null)
  execute function public.notify_access_change('user_id');
-- No stream is open on a session that has expired: an access token ends long before.
create or replace trigger sessions_removed_notify_access_change
  after delete on public.sessions
  for each row when (old.revoked_at is null and old.expires_at > now())
  execute function public.notify_access_change('user_id');
