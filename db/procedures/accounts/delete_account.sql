-- Deletes an account: from this transaction on it has no identity, no session and no running job, and nothing of it is served.
-- `erase_account` then removes what is left of the person, in batches. A merged guest's id deletes its survivor, whose part it is.
-- Null: there is no such account.
-- @returns string | null
create or replace function public.delete_account(p_user_id uuid) returns uuid
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid := (public.lock_account(p_user_id)).id;
  v_uploads uuid[];
begin
  if v_user_id is null then
    return null;
  end if;
  perform public.fail_generation(job_id, 'ERR_5004')
  from (
    select job_id
    from public.video_jobs
    where user_id = v_user_id and status in ('pending', 'processing') and deleted_at is null
    order by job_id
  ) running;

  perform public.redact_notes(v_user_id, public.ids_of_account(v_user_id));
  perform public.schedule_apple_revocation(client_id, sealed_token) from public.apple_tokens where user_id = v_user_id;
  delete from public.apple_tokens where user_id = v_user_id;
  delete from public.apple_identities where user_id = v_user_id;
  delete from public.user_metadata where user_id = v_user_id;
  delete from public.sessions where user_id = v_user_id;
  delete from public.push_tokens where user_id = v_user_id;

  -- At most a few hundred. Those that are being stored keep their rows: whoever stores them, or the sweep, deletes their files.
  perform from public.uploads where user_id = v_user_id order by id for update;
  v_uploads := array(select id from public.uploads where user_id = v_user_id and stored_at is not null);
  update public.uploads
  set path = user_id || '/~' || id, stored_at = null, metadata = null, updated_at = clock_timestamp()
  where user_id = v_user_id and (stored_at is not null or metadata is not null);
  if cardinality(v_uploads) > 0 then
    perform public.enqueue('delete_uploads', json_build_object('ids', v_uploads), 'delete_uploads:' || v_user_id);
  end if;
  update public.users
  set deleted_at = clock_timestamp(), email = null, device_id = null, apple_sub = null, updated_at = now()
  where id = v_user_id;
  -- What is still to be sent of the account is sent: ids and numbers, nothing of the person.
  perform public.schedule_webhook(
    v_user_id,
    'account.deleted',
    jsonb_build_object(
      'user_id', v_user_id, 'merged_user_ids', array_remove(public.ids_of_account(v_user_id), v_user_id)
    )
  );
  perform public.enqueue('erase_account', json_build_object('user_id', v_user_id), 'erase:' || v_user_id);
  return v_user_id;
end
$$;
