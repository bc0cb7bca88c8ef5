-- Records one of Apple's verified notifications about an account and does what it says, once. A notification that is older than
-- the account's last sign-in does not end the sessions that were opened since.
-- `deleted_id`: the account that was deleted, whose rows are to be erased.
-- @returns {outcome: 'done' | 'duplicate' | 'without_effect', deleted_id: string | null}
create or replace function public.record_apple_notification(
  p_notification_id text,
  p_type text,
  p_apple_sub text,
  p_event_at timestamptz,
  p_email text default null,
  p_is_private_email boolean default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid;
  v_deleted_id uuid;
begin
  perform public.lock_apple_sub(p_apple_sub);
  select id into v_user_id from public.users where apple_sub = p_apple_sub and deleted_at is null for update;
  insert into public.apple_account_notifications (notification_id, type, has_effect)
  values (
    p_notification_id,
    p_type,
    v_user_id is not null and p_type in ('consent-revoked', 'account-delete', 'email-disabled', 'email-enabled')
  )
  on conflict (notification_id) do nothing;
  if not found then
    return jsonb_build_object('outcome', 'duplicate', 'deleted_id', null);
  elsif v_user_id is null then
    return jsonb_build_object('outcome', 'without_effect', 'deleted_id', null);
  end if;

  case p_type
    when 'consent-revoked' then
      update public.sessions
      set revoked_at = clock_timestamp()
      where user_id = v_user_id and revoked_at is null and created_at <= p_event_at;
      -- Apple has revoked them already.
      delete from public.apple_tokens where user_id = v_user_id and created_at <= p_event_at;
    when 'account-delete' then
      v_deleted_id := public.delete_account(v_user_id);
    when 'email-disabled', 'email-enabled' then
      update public.apple_identities
      set is_email_enabled = p_type = 'email-enabled',
          is_private_email = coalesce(p_is_private_email, is_private_email),
          email_changed_at = p_event_at
      where user_id = v_user_id and (email_changed_at is null or email_changed_at < p_event_at);
      if found and p_email is not null then
        update public.users set email = p_email, updated_at = now() where id = v_user_id;
      end if;
    else
      return jsonb_build_object('outcome', 'without_effect', 'deleted_id', null);
  end case;
  return jsonb_build_object('outcome', 'done', 'deleted_id', v_deleted_id);
end
$$;
