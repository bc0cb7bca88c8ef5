-- Finds or creates the account of an Apple user whose identity token was verified. A new account has no initial grant: no device
-- was proven.
-- @returns {outcome: 'signed_in', user_id: string, is_new: boolean} | {outcome: 'banned'}
create or replace function public.sign_in_with_apple(
  p_apple_sub text,
  p_is_email_verified boolean,
  p_is_private_email boolean,
  p_language text,
  p_email text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid;
  v_is_new boolean := false;
begin
  perform public.lock_apple_sub(p_apple_sub);
  select id into v_user_id from public.users where apple_sub = p_apple_sub and deleted_at is null for update;
  if not found then
    insert into public.users (apple_sub, is_guest, language)
    values (p_apple_sub, false, p_language)
    returning id into v_user_id;
    v_is_new := true;
  elsif exists (select from public.user_bans where user_id = v_user_id) then
    return jsonb_build_object('outcome', 'banned');
  end if;
  perform public.record_apple_identity(v_user_id, p_email, p_is_email_verified, p_is_private_email);
  return jsonb_build_object('outcome', 'signed_in', 'user_id', v_user_id, 'is_new', v_is_new);
end
$$;
