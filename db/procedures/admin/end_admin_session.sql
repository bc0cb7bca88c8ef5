-- Ends an administrator's session. Returns whether it was open.
create or replace function public.end_admin_session(p_session_id uuid) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.admin_sessions set ended_at = clock_timestamp() where id = p_session_id and ended_at is null;
  return found;
end
$$;
