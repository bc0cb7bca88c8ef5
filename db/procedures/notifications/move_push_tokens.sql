-- Gives the push tokens that one session of an account has registered to the session that takes its place on the same device. They
-- would otherwise go when the replaced session is signed out.
create or replace function public.move_push_tokens(p_user_id uuid, p_from_session_id uuid, p_to_session_id uuid) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
begin
  update public.push_tokens
  set session_id = p_to_session_id
  where session_id = p_from_session_id
    and user_id = v_user_id
    and exists (
      select from public.sessions where id = p_to_session_id and user_id = v_user_id and revoked_at is null
    );
end
$$;
