-- Removes a push token of an account. One that is not there, or is another account's, changes nothing.
create or replace function public.forget_push_token(p_user_id uuid, p_token text) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
begin
  delete from public.push_tokens where token = p_token and user_id = v_user_id;
end
$$;
