-- Ends sessions of an account: this one (`local`), all but this one (`others`), or all (`global`). Returns how many.
create or replace function public.revoke_sessions(p_user_id uuid, p_scope text, p_session_id uuid default null) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users := public.lock_account(p_user_id);
  v_count integer;
begin
  update public.sessions
  set revoked_at = clock_timestamp()
  where user_id = v_user.id
    and revoked_at is null
    and case p_scope
      when 'local' then id = p_session_id
      when 'others' then id is distinct from p_session_id
      else true
    end;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
