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
  v_user public.users := public.lock_account(p_user_id);
begin
  if v_user.id is null then
    return null;
  end if;
  perform public.fail_generation(job_id, 'ERR_5004')
  from (
    select job_id
    from public.video_jobs
    where user_id = v_user.id and status in ('pending', 'processing') and deleted_at is null
    order by job_id
  ) running;

  -- An administrator's note may quote them.
  update public.admin_actions a
  set reason = replace(a.reason, v_identity, '[deleted]'),
      details = replace(a.details::text, v_identity, '[deleted]')::jsonb
  from unnest(array[v_user.email, v_user.device_id, v_user.apple_sub]) as v_identity
  where a.target_user_id = v_user.id
    and v_identity is not null
    and (strpos(a.reason, v_identity) > 0 or strpos(a.details::text, v_identity) > 0);
  perform public.schedule_apple_revocation(client_id, sealed_token) from public.apple_tokens where user_id = v_user.id;
  delete from public.apple_tokens where user_id = v_user.id;
  delete from public.apple_identities where user_id = v_user.id;
  delete from public.user_metadata where user_id = v_user.id;
  delete from public.sessions where user_id = v_user.id;
  -- At most a few hundred. Their files are deleted by the queue; the videos' files by each job's clean-up.
  update public.uploads
  set path = user_id || '/~' || id, stored_at = null, metadata = null, updated_at = clock_timestamp()
  where user_id = v_user.id;
  perform public.enqueue('delete_uploads', json_build_object('user_id', v_user.id), 'delete_uploads:' || v_user.id);
  update public.users
  set deleted_at = clock_timestamp(), email = null, device_id = null, apple_sub = null, updated_at = now()
  where id = v_user.id;
  perform public.enqueue('erase_account', json_build_object('user_id', v_user.id), 'erase:' || v_user.id);
  return v_user.id;
end
$$;
