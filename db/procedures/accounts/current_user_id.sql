-- The account that the access token of a query through PostgREST or Realtime addresses; null if it has none, its session has
-- ended, the account is banned or deleted, or the row is an administrator's.
create or replace function public.current_user_id() returns uuid
language sql
stable
security definer
set search_path = ''
as $$
  select u.id
  from (
    select
      public.survivor_of(nullif(c.claims ->> 'sub', '')::uuid) as user_id,
      nullif(c.claims ->> 'session_id', '')::uuid as session_id
    from (select nullif(current_setting('request.jwt.claims', true), '')::jsonb as claims) c
  ) t
  join public.users u on u.id = t.user_id and u.deleted_at is null
  where not exists (select from public.user_bans b where b.user_id = u.id)
    and not exists (select from public.administrators a where a.user_id = u.id)
    and (
      t.session_id is null
      or exists (select from public.sessions s where s.id = t.session_id and s.user_id = u.id and s.revoked_at is null)
    )
$$;
