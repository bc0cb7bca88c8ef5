-- Removes an account's e-mail address, device id and Apple sub from what administrators have written about these ids, before the
-- account loses them. The caller holds its row lock.
create or replace function public.redact_notes(p_user_id uuid, p_about uuid[]) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_texts text[] := (
    select array_remove(array[nullif(email, ''), device_id, apple_sub], null) from public.users where id = p_user_id
  );
begin
  update public.admin_actions
  set reason = left(public.redact(to_jsonb(reason), v_texts) #>> '{}', 2000),
      details = public.redact(details, v_texts)
  where target_user_id = any (p_about)
    and (public.redact(to_jsonb(reason), v_texts) <> to_jsonb(reason) or public.redact(details, v_texts) <> details);
  update public.user_bans
  set reason = left(public.redact(to_jsonb(reason), v_texts) #>> '{}', 2000)
  where user_id = p_user_id and public.redact(to_jsonb(reason), v_texts) <> to_jsonb(reason);
end
$$;
