-- Closes a claim without credits: Apple did not mark the device.
create or replace function public.withdraw_initial_grant(p_user_id uuid) returns void
language sql
security definer
set search_path = ''
as $$
  update public.device_grants
  set state = 'void', settled_at = clock_timestamp()
  where user_id = p_user_id and state = 'claiming'
$$;
