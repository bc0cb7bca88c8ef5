-- Stores what an identity token says about the person, and that they have just signed in. An account keeps its e-mail address if
-- the token has none: Apple sends it only to apps that asked for it.
create or replace function public.record_apple_identity(
  p_user_id uuid,
  p_email text,
  p_is_email_verified boolean,
  p_is_private_email boolean
) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.users
  set email = coalesce(p_email, email), updated_at = now()
  where id = p_user_id and email is distinct from coalesce(p_email, email);
  insert into public.apple_identities as i (user_id, is_email_verified, is_private_email)
  values (p_user_id, p_email is not null and p_is_email_verified, p_email is not null and p_is_private_email)
  on conflict (user_id) do update
  set is_email_verified = case when p_email is null then i.is_email_verified else p_is_email_verified end,
      is_private_email = case when p_email is null then i.is_private_email else p_is_private_email end,
      signed_in_at = clock_timestamp();
end
$$;
