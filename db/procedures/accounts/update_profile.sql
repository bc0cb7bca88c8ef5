-- Updates the fields that are not null. False: the account is deleted.
create or replace function public.update_profile(
  p_user_id uuid,
  p_language text default null,
  p_theme_preference text default null
) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
begin
  update public.users
  set language = coalesce(p_language, language),
      theme_preference = coalesce(p_theme_preference, theme_preference),
      updated_at = now()
  where id = v_user_id;
  return found;
end
$$;
