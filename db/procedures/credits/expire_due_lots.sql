-- Expires the lots of up to `p_limit` users whose time is over. Returns the number of users; the caller repeats it until it is 0.
create or replace function public.expire_due_lots(p_limit integer default 100) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid;
  v_count integer := 0;
begin
  for v_user_id in
    -- An account that a call holds is left to the next time: that call expires its lots itself, and a call that comes with a
    -- merged guest's id locks in another order.
    select u.id from public.users u
    where u.id in (
      select user_id from public.credit_lots where is_open and expires_at <= now() order by expires_at limit p_limit
    )
    order by u.id
    for update skip locked
  loop
    perform public.expire_lots(v_user_id);
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
