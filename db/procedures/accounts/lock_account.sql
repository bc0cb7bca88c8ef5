-- Locks the account that an id addresses and returns its row: for a merged guest the survivor's, also if the merge was committed
-- while this call waited. All columns are null if there is no such account, or it is deleted, or it is the row of an
-- administrator: that is no account of a user, so nothing can be charged, granted, opened, banned or deleted for it.
create or replace function public.lock_account(p_user_id uuid) returns public.users
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id uuid := public.survivor_of(p_user_id);
  v_user public.users;
begin
  loop
    select * into v_user from public.users where id = v_id for update;
    exit when v_user.deleted_at is null;
    select survivor_id into v_id from public.merged_users where user_id = v_user.id;
    if not found then
      return null;
    end if;
  end loop;
  if exists (select from public.administrators where user_id = v_user.id) then
    return null;
  end if;
  return v_user;
end
$$;
