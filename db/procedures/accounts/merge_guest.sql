-- Moves all that a guest has to the surviving account, in the caller's transaction. The caller holds both row locks. Every table
-- with a user's id is either moved here or named in the last comment; a test compares both with the tables. Rows that are also
-- locked without the row lock of their account are locked in one order.
create or replace function public.merge_guest(p_guest_id uuid, p_survivor_id uuid) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.merged_users (user_id, survivor_id) values (p_guest_id, p_survivor_id);
  perform from public.video_jobs where user_id = p_guest_id order by job_id for update;
  update public.video_jobs set user_id = p_survivor_id where user_id = p_guest_id;
  -- Before the balance moves: that the guest's is 0 then is no event of the survivor.
  update public.user_events set user_id = p_survivor_id where user_id = p_guest_id;
  perform public.move_balance(p_guest_id, p_survivor_id);

  perform public.redact_notes(p_guest_id, array[p_guest_id, p_survivor_id]);
  update public.users g
  set deleted_at = clock_timestamp(), device_id = null, email = null, updated_at = now()
  where g.id = p_guest_id;
  update public.users s
  set initial_grant_claimed = s.initial_grant_claimed or g.initial_grant_claimed,
      tier = case when g.tier = 'premium' then g.tier else s.tier end,
      updated_at = now()
  from public.users g
  where s.id = p_survivor_id and g.id = p_guest_id;

  perform from public.uploads where user_id = p_guest_id order by id for update;
  update public.uploads set user_id = p_survivor_id where user_id = p_guest_id;
  update public.sessions set user_id = p_survivor_id where user_id = p_guest_id;
  perform from public.push_tokens where user_id = p_guest_id order by id for update;
  update public.push_tokens set user_id = p_survivor_id where user_id = p_guest_id;
  perform public.trim_push_tokens(p_survivor_id);
  perform from public.pushes where user_id = p_guest_id order by id for update;
  update public.pushes set user_id = p_survivor_id where user_id = p_guest_id;
  update public.rate_limit_log set user_id = p_survivor_id where user_id = p_guest_id;
  update public.error_log set user_id = p_survivor_id where user_id = p_guest_id;
  -- A key that both have used stays the survivor's.
  update public.idempotency_log g
  set user_id = p_survivor_id
  where g.user_id = p_guest_id and not exists (
    select from public.idempotency_log s where s.user_id = p_survivor_id and s.idempotency_key = g.idempotency_key
  );
  delete from public.idempotency_log where user_id = p_guest_id;
  perform from public.purchases where user_id = p_guest_id order by id for update;
  update public.purchases set user_id = p_survivor_id where user_id = p_guest_id;
  -- A code that both have used stays the survivor's.
  update public.code_uses g
  set user_id = p_survivor_id
  where g.user_id = p_guest_id and not exists (
    select from public.code_uses s where s.user_id = p_survivor_id and s.code_id = g.code_id
  );
  delete from public.code_uses where user_id = p_guest_id;
  perform from public.reports where user_id = p_guest_id or reporter_user_id = p_guest_id order by id for update;
  update public.reports set user_id = p_survivor_id where user_id = p_guest_id;
  -- What both have reported stays the survivor's report.
  update public.reports g
  set reporter_user_id = p_survivor_id
  where g.reporter_user_id = p_guest_id and not exists (
    select from public.reports s where s.reporter_user_id = p_survivor_id and s.job_id = g.job_id
  );
  delete from public.reports where reporter_user_id = p_guest_id;
  -- It only says what a guest may store.
  delete from public.proven_devices where user_id = p_guest_id;
  insert into public.user_metadata (user_id, data)
  select p_survivor_id, data from public.user_metadata where user_id = p_guest_id
  on conflict (user_id) do nothing;
  delete from public.user_metadata where user_id = p_guest_id;
  -- What they tell stays as it was: it names the guest.
  perform from public.webhook_deliveries where user_id = p_guest_id order by id for update;
  update public.webhook_deliveries set user_id = p_survivor_id where user_id = p_guest_id;
  perform public.schedule_webhook(
    p_survivor_id, 'account.merged', jsonb_build_object('user_id', p_survivor_id, 'merged_user_id', p_guest_id)
  );
  -- Wakes the survivor's event streams, which have the guest's events now.
  perform pg_catalog.pg_notify('user_events', p_survivor_id::text);
  -- Stay with the guest's id: quota_log, device_grants, job_counters, admin_actions, used_identity_tokens. A guest that is merged
  -- has no row in user_bans, apple_identities and apple_tokens.
end
$$;
