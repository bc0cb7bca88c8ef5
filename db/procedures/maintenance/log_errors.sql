-- Stores what a server has collected about failed requests, in one batch. `p_entries`: [{entry_id, user_id, error_code, endpoint,
-- request_data, error_details, created_at}], already redacted. A repeated entry adds nothing. An account that is gone is not named:
-- its row is locked first, in the order of ids, so that a deletion either finds the new row or has happened before. Waits for accounts
-- that other calls hold, but not for long: the server sends the batch again. Returns how many rows were added.
create or replace function public.log_errors(p_entries jsonb) returns integer
language plpgsql
security definer
set search_path = ''
set lock_timeout = '2s'
as $$
declare
  v_users uuid[];
  v_count integer;
begin
  select array_agg(locked.id) into v_users
  from (
    select u.id
    from public.users u
    where u.deleted_at is null and u.id in (
      select public.survivor_of(e.user_id) from jsonb_to_recordset(p_entries) as e(user_id uuid) where e.user_id is not null
    )
    order by u.id
    for key share
  ) locked;
  insert into public.error_log (entry_id, user_id, error_code, endpoint, request_data, error_details, created_at)
  select
    e.entry_id,
    (select u from unnest(v_users) as u where u = public.survivor_of(e.user_id)),
    left(e.error_code, 50),
    left(e.endpoint, 200),
    e.request_data,
    e.error_details,
    e.created_at
  from jsonb_to_recordset(p_entries) as e(
    entry_id uuid, user_id uuid, error_code text, endpoint text, request_data jsonb, error_details jsonb, created_at timestamptz
  )
  on conflict do nothing;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
