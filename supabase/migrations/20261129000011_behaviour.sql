-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: procedures/alerts/mark_alert_sent.sql, procedures/alerts/raise_alert.sql, procedures/audit/alert_violations.sql, procedures/audit/check_changes.sql, procedures/audit/count_credits.sql, procedures/audit/record_violations.sql, procedures/maintenance/prune_logs.sql, grants.sql

set check_function_bodies = off;

-- source: procedures/alerts/mark_alert_sent.sql sha256:341845608abf2e4c0e34ae7d81edbaf8d61e38b42fb6fa8a95bbb3a4a8bdfa59
-- Notes that a receiver has the alert, so that a repeated task does not send it there again.
create or replace function public.mark_alert_sent(p_alert_id uuid, p_receiver text) returns void
language sql
security definer
set search_path = ''
as $$
  update public.alerts
  set sent_to = sent_to || p_receiver
  where id = p_alert_id and not p_receiver = any (sent_to)
$$;

insert into public.schema_history (name, hash) values ('procedures/alerts/mark_alert_sent.sql', '341845608abf2e4c0e34ae7d81edbaf8d61e38b42fb6fa8a95bbb3a4a8bdfa59')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/alerts/raise_alert.sql sha256:469f7d5a9c9dea2fb746966fd91315f680564f9f47014691579291033c235173
-- Records an alert and has the worker send it, once for each cause (`p_kind` and `p_subject`) and hour. Returns whether it is the
-- first of the hour. `p_details` holds ids and numbers alone: they leave this server.
create or replace function public.raise_alert(p_kind text, p_subject text default '', p_details jsonb default '{}') returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_hour timestamptz := date_trunc('hour', clock_timestamp(), 'UTC');
  v_id uuid;
begin
  insert into public.alerts (kind, subject, hour, details)
  values (p_kind, p_subject, v_hour, p_details)
  on conflict (kind, subject, hour) do nothing
  returning id into v_id;
  if v_id is null then
    return false;
  end if;
  -- With the queue's growing waits, ten attempts last for hours.
  perform public.enqueue(
    'send_alert',
    json_build_object('alert_id', v_id),
    'alert:' || p_kind || ':' || p_subject || ':' || extract(epoch from v_hour)::bigint,
    0,
    10
  );
  return true;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/alerts/raise_alert.sql', '469f7d5a9c9dea2fb746966fd91315f680564f9f47014691579291033c235173')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/alert_violations.sql sha256:2a8860b09dd6d09d99762f2312f943afdc3196ffff08032d9be874fefa841663
-- Tells operators of open violations that no alert has told of: at most one alert an hour, and what is found after it is in the next.
create or replace function public.alert_violations() returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_details jsonb;
begin
  if not exists (select from public.money_violations where alerted_at is null) then
    return;
  end if;
  with untold as (
    select invariant, coalesce(details ->> 'user_id', subject::text) as account, found_at
    from public.money_violations
    where alerted_at is null
  )
  select jsonb_build_object(
    'violations', (select count(*) from untold),
    'rules', (
      select jsonb_agg(jsonb_build_object('rule', r.invariant, 'violations', r.violations) order by r.invariant)
      from (select invariant, count(*) as violations from untold group by invariant) r
    ),
    'accounts', (
      select jsonb_agg(a.account)
      from (select account from untold group by account order by min(found_at), account limit 3) a
    )
  )
  into v_details;
  if public.raise_alert('money_invariant', '', v_details) then
    -- Another check may hold some of them, and wait for a row that this one holds.
    update public.money_violations
    set alerted_at = clock_timestamp()
    where (invariant, subject) in (
      select invariant, subject from public.money_violations where alerted_at is null for update skip locked
    );
  end if;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/alert_violations.sql', '2a8860b09dd6d09d99762f2312f943afdc3196ffff08032d9be874fefa841663')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/check_changes.sql sha256:ded747b22a0c351faf15ac9c771f8eecb39dcc1c526491ecb3c030d01d5f2a44
-- Checks what has changed since the last check, at most `p_limit` ledger rows and as many jobs, and records what it finds. `new`: what
-- was not known. `is_limited`: there is more to check. `has_advanced`: another call may check what was noted meanwhile. Null: another
-- process checks.
-- Of two rows, the one with the lower seq may be committed later. So a call only notes how far the ledger goes; a later call checks up
-- to there, once every transaction that was running has ended. A minute is enough: no statement of the server runs for as long.
-- @returns {
--   rows: number, jobs: number, new: {invariant: string, subject: string, details: Json}[], is_limited: boolean, has_advanced: boolean
-- } | null
create or replace function public.check_changes(p_limit integer default 2000) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_newest bigint;
  v_progress public.audit_progress;
  v_xid xid8;
  v_snapshot pg_snapshot;
  v_is_settled boolean;
  v_seq bigint;
  v_rows integer;
  v_until timestamptz;
  v_jobs integer;
  v_violations jsonb;
begin
  -- Before this transaction has an id: those that were running when this was read have lower ones.
  select coalesce(max(seq), 0) into v_newest from public.quota_log;
  select * into v_progress from public.audit_progress for update skip locked;
  if not found then
    return null;
  end if;
  v_xid := pg_current_xact_id();
  v_snapshot := pg_current_snapshot();
  v_is_settled := pg_snapshot_xmin(v_snapshot) >= v_progress.noted_xid or v_progress.noted_at < now() - interval '1 minute';

  select count(*), max(seq)
  into v_rows, v_seq
  from (
    select seq
    from public.quota_log
    where v_is_settled and seq > v_progress.checked_seq and seq <= v_progress.noted_seq
    order by seq
    limit p_limit
  ) due;
  select count(*), max(completed_at)
  into v_jobs, v_until
  from (
    select completed_at
    from public.video_jobs
    where v_is_settled and completed_at > v_progress.checked_until and completed_at <= v_progress.noted_at
    order by completed_at
    limit p_limit
  ) due;
  if v_rows < p_limit then
    v_seq := case when v_is_settled then greatest(v_progress.noted_seq, v_progress.checked_seq) else v_progress.checked_seq end;
  end if;
  if v_jobs < p_limit then
    v_until := case when v_is_settled then greatest(v_progress.noted_at, v_progress.checked_until) else v_progress.checked_until end;
  end if;

  select coalesce(jsonb_agg(jsonb_build_object('invariant', b.invariant, 'subject', b.subject, 'details', b.details)), '[]')
  into v_violations
  from public.broken_by_changes(v_progress.checked_seq, v_seq, v_progress.checked_until, v_until) b;
  perform public.count_credits(v_seq);
  update public.audit_progress
  set checked_seq = v_seq, checked_until = v_until;
  if v_is_settled and v_rows < p_limit and v_jobs < p_limit then
    update public.audit_progress set noted_seq = v_newest, noted_xid = v_xid, noted_at = now();
  end if;
  return jsonb_build_object(
    'rows', v_rows,
    'jobs', v_jobs,
    'new', public.record_violations(v_violations),
    'is_limited', v_rows >= p_limit or v_jobs >= p_limit,
    'has_advanced', v_is_settled
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/check_changes.sql', 'ded747b22a0c351faf15ac9c771f8eecb39dcc1c526491ecb3c030d01d5f2a44')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/count_credits.sql sha256:a225b366c59d67923689391820e59cde3a05c6263d218b7acc6ccc6c5c6f4541
-- Adds the ledger rows up to `p_until` to the totals that metrics show, each row once. The caller holds the lock of audit_progress,
-- and every transaction that could still add a row up to there has ended.
create or replace function public.count_credits(p_until bigint) returns void
language sql
security definer
set search_path = ''
as $$
  with due as (
    select
      q.reason,
      sum(abs(q.change::bigint)) as credits,
      sum(greatest(q.balance_after, 0)::bigint - greatest(q.balance_after::bigint - q.change, 0)) as outstanding
    from public.quota_log q
    where q.seq > (select counted_seq from public.audit_progress) and q.seq <= p_until
    group by q.reason
  ), added as (
    insert into public.credit_totals as t (reason, credits)
    select reason, credits
    from due
    on conflict (reason) do update set credits = t.credits + excluded.credits
  )
  update public.audit_progress
  set counted_seq = greatest(counted_seq, p_until),
      credits_outstanding = credits_outstanding + coalesce((select sum(outstanding) from due), 0)
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/count_credits.sql', 'a225b366c59d67923689391820e59cde3a05c6263d218b7acc6ccc6c5c6f4541')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/audit/record_violations.sql sha256:26a6c30cc44696119ea3ad9e77a96d4f5623588ebc72bd30fbc5aed23a793039
-- Records violations, as jsonb objects of invariant, subject and details, counts the open ones by rule, and alerts operators. Returns
-- those that were not known.
-- @returns {invariant: string, subject: string, details: Json}[]
create or replace function public.record_violations(p_violations jsonb) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_new jsonb;
begin
  with found as (
    select distinct on (v.invariant, v.subject) v.invariant, v.subject, v.details
    from jsonb_to_recordset(p_violations) as v (invariant text, subject uuid, details jsonb)
    order by v.invariant, v.subject
  ), known as (
    update public.money_violations o
    set last_found_at = clock_timestamp(), details = f.details
    from found f
    where o.invariant = f.invariant and o.subject = f.subject
    returning o.invariant, o.subject
  ), added as (
    insert into public.money_violations (invariant, subject, details)
    select f.invariant, f.subject, f.details
    from found f
    where not exists (select from known k where k.invariant = f.invariant and k.subject = f.subject)
    on conflict (invariant, subject) do nothing
    returning invariant, subject, details
  )
  select coalesce(jsonb_agg(jsonb_build_object('invariant', a.invariant, 'subject', a.subject, 'details', a.details)), '[]')
  into v_new
  from added a;

  insert into public.money_checks (invariant, violations, checked_at)
  select r.rule, (select count(*) from public.money_violations o where o.invariant = r.rule), clock_timestamp()
  from public.money_rules() r
  on conflict (invariant) do update set violations = excluded.violations, checked_at = excluded.checked_at;
  perform public.alert_violations();
  return v_new;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/audit/record_violations.sql', '26a6c30cc44696119ea3ad9e77a96d4f5623588ebc72bd30fbc5aed23a793039')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/maintenance/prune_logs.sql sha256:2aa353894225a24dc8c66d2d87afea7377607e5246c9d689a103408c6d50564e
-- Deletes up to `p_limit` rows of each log whose retention has passed, the oldest first; never a user, a job or a ledger row.
-- Returns how many, by kind; the caller repeats it until no kind reaches the limit, so that no statement runs for long.
-- Rows that another call holds are left to the next time: a merge locks many of an account's, in an order of its own.
-- @returns {
--   rate_limit_rows: number, idempotency_keys: number, events: number, sessions: number, errors: number,
--   provider_events: number, apple_notifications: number, identity_tokens: number, alerts: number
-- }
create or replace function public.prune_logs(p_limit integer default 1000) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_rate_limit_rows integer;
  v_keys integer;
  v_events integer;
  v_sessions integer;
  v_errors integer;
  v_provider_events integer;
  v_apple_notifications integer;
  v_identity_tokens integer;
  v_alerts integer;
begin
  delete from public.rate_limit_log
  where id in (
    select id
    from public.rate_limit_log
    where created_at < now() - interval '7 days'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_rate_limit_rows = row_count;
  delete from public.idempotency_log
  where (user_id, idempotency_key) in (
    select user_id, idempotency_key
    from public.idempotency_log
    where expires_at < now()
    order by expires_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_keys = row_count;
  -- A stream resumes after the last event it sent; after a day the app reads the list again instead.
  delete from public.user_events
  where id in (
    select id
    from public.user_events
    where created_at < now() - interval '1 day'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_events = row_count;
  -- Kept for a month after the end, so that "session expired" and "no such session" remain two answers.
  delete from public.sessions
  where id in (
    select id
    from public.sessions
    where expires_at < now() - interval '30 days'
    order by expires_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_sessions = row_count;
  delete from public.error_log
  where id in (
    select id
    from public.error_log
    where created_at < now() - interval '90 days'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_errors = row_count;
  -- Vendors resend an event for hours at most.
  delete from public.provider_events
  where id in (
    select id
    from public.provider_events
    where created_at < now() - interval '30 days'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_provider_events = row_count;
  delete from public.apple_account_notifications
  where notification_id in (
    select notification_id
    from public.apple_account_notifications
    where created_at < now() - interval '90 days'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_apple_notifications = row_count;
  -- An expired token is refused by its own date.
  delete from public.used_identity_tokens
  where token_hash in (
    select token_hash
    from public.used_identity_tokens
    where expires_at < now() - interval '1 day'
    order by expires_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_identity_tokens = row_count;
  delete from public.alerts
  where id in (
    select id
    from public.alerts
    where created_at < now() - interval '90 days'
    order by created_at
    limit p_limit
    for update skip locked
  );
  get diagnostics v_alerts = row_count;
  return jsonb_build_object(
    'rate_limit_rows', v_rate_limit_rows,
    'idempotency_keys', v_keys,
    'events', v_events,
    'sessions', v_sessions,
    'errors', v_errors,
    'provider_events', v_provider_events,
    'apple_notifications', v_apple_notifications,
    'identity_tokens', v_identity_tokens,
    'alerts', v_alerts
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/maintenance/prune_logs.sql', '2aa353894225a24dc8c66d2d87afea7377607e5246c9d689a103408c6d50564e')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: grants-queue.sql sha256:344aa80109b0ede00a217bf3b5510e1d73177484fe3309b8b08ea8fc07b743e3
-- The worker runs as rendio_server, to which the queue's own migrations grant nothing. Without the policies below it would
-- see no jobs, and no error either.
grant usage on schema graphile_worker to rendio_server;
grant select, insert, update, delete on all tables in schema graphile_worker to rendio_server;
grant usage, select on all sequences in schema graphile_worker to rendio_server;
grant execute on all functions in schema graphile_worker to rendio_server;

do $$
declare
  v_table text;
begin
  for v_table in
    select c.relname
    from pg_catalog.pg_class c
    where c.relnamespace = 'graphile_worker'::regnamespace
      and c.relkind in ('r', 'p')
      and c.relrowsecurity
      and not exists (
        select from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polname = 'server_works'
      )
  loop
    execute format(
      'create policy server_works on graphile_worker.%I to rendio_server using (true) with check (true)', v_table
    );
  end loop;
end
$$;

insert into public.schema_history (name, hash) values ('grants-queue.sql', '344aa80109b0ede00a217bf3b5510e1d73177484fe3309b8b08ea8fc07b743e3')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: grants-hosted.sql sha256:e5564475de9cf31b1b1f84448c522b61ab96339f9e00d6b21342b9307471162b
-- For databases that Supabase hosts: access to media through its Storage, and what its Realtime sends. In other databases
-- these schemas do not exist, and this file does nothing.

-- Private buckets. Only the server, which is not bound by these policies, writes to them: it checks what an image is and how
-- much an account stores. It also limits the size of each file, so the buckets do not.
do $$
begin
  if to_regclass('storage.buckets') is null or to_regclass('storage.objects') is null then
    return;
  end if;

  insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
  values
    ('videos', 'videos', false, null, array['video/mp4', 'video/quicktime', 'video/webm']),
    ('thumbnails', 'thumbnails', false, null, array['image/jpeg', 'image/png', 'image/webp']),
    ('user_uploads', 'user_uploads', false, null, array['image/jpeg', 'image/png', 'image/webp'])
  on conflict (id) do update set
    public = excluded.public,
    file_size_limit = excluded.file_size_limit,
    allowed_mime_types = excluded.allowed_mime_types;

  -- The first folder of a path is its owner's id, or that of a guest who was merged into the owner. Policies are OR-ed; only the policies with these names are replaced.
  drop policy if exists rendio_people_read_their_media on storage.objects;
  create policy rendio_people_read_their_media on storage.objects
    for select to authenticated
    using (
      bucket_id in ('videos', 'thumbnails', 'user_uploads')
      and lower((storage.foldername(name))[1]) = any ((select public.current_user_folders())::text[])
    );

  -- Of earlier versions, whose uploads passed by the server.
  drop policy if exists rendio_people_add_their_uploads on storage.objects;
  drop policy if exists rendio_people_replace_their_uploads on storage.objects;

  drop policy if exists rendio_people_remove_their_uploads on storage.objects;
  create policy rendio_people_remove_their_uploads on storage.objects
    for delete to authenticated
    using (bucket_id = 'user_uploads' and lower((storage.foldername(name))[1]) = any ((select public.current_user_folders())::text[]));
end
$$;

-- Realtime sends the changes of a published table to the users who may read the row, by the policy people_read_their_jobs.
do $$
begin
  if exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime' and not puballtables)
    and not exists (
      select from pg_catalog.pg_publication_tables
      where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = 'video_jobs'
    )
  then
    alter publication supabase_realtime add table public.video_jobs;
  end if;
end
$$;

insert into public.schema_history (name, hash) values ('grants-hosted.sql', 'e5564475de9cf31b1b1f84448c522b61ab96339f9e00d6b21342b9307471162b')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: grants-policies.sql sha256:36eaad2e4fe6bd3f6129b15750791a6412f28383f65cae3622ab9ba3cbe58ae9
-- The row policies, created wherever they are missing: a dump that is restored before the roles exist loses them.
do $$
declare
  v_policy record;
begin
  for v_policy in
    select c.relname as table_name, 'server_reads' as name, 'rendio_server' as roles, 'true' as condition
    from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relrowsecurity
    union all
    values
      ('users', 'people_read_their_profile', 'authenticated', 'id = (select public.current_user_id()) and deleted_at is null'),
      ('video_jobs', 'people_read_their_jobs', 'authenticated', 'user_id = (select public.current_user_id()) and deleted_at is null'),
      ('quota_log', 'people_read_their_transactions', 'authenticated', 'user_id = (select public.current_user_id())'),
      ('models', 'everybody_reads_available_models', 'anon, authenticated', 'is_available')
  loop
    if not exists (
      select from pg_catalog.pg_policies
      where schemaname = 'public' and tablename = v_policy.table_name and policyname = v_policy.name
    ) then
      execute format(
        'create policy %I on public.%I for select to %s using (%s)', v_policy.name, v_policy.table_name, v_policy.roles,
        v_policy.condition
      );
    end if;
  end loop;
end
$$;

insert into public.schema_history (name, hash) values ('grants-policies.sql', '36eaad2e4fe6bd3f6129b15750791a6412f28383f65cae3622ab9ba3cbe58ae9')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: grants.sql sha256:4a2fc0c9abdf8cd3207c72e8f0c2774506482656950ee2651cedbd74f3e2a7c1
-- Privileges. Applied again after every change in db/, so that it also revokes what is no longer granted.
-- rendio_server: the API and the worker. anon, authenticated: users, through PostgREST and Realtime. service_role: nothing here;
-- named because hosted databases grant everything to it (and to the other two) by default.

revoke all on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings, public.proven_devices,
  public.merged_users, public.apple_identities, public.used_identity_tokens, public.apple_tokens, public.apple_revocations,
  public.apple_account_notifications, public.user_metadata, public.products, public.purchases, public.store_notifications,
  public.codes, public.code_uses, public.credit_lots, public.lot_movements, public.money_checks, public.audit_progress,
  public.money_violations, public.alerts, public.credit_totals
from public, anon, authenticated, service_role, rendio_server;

revoke all on sequence
  public.video_jobs_seq_seq, public.quota_log_seq_seq, public.user_events_id_seq, public.rate_limit_log_id_seq,
  public.error_log_id_seq, public.admin_actions_id_seq, public.provider_events_id_seq, public.purchases_seq_seq,
  public.store_notifications_seq_seq, public.codes_seq_seq, public.credit_lots_seq_seq, public.lot_movements_id_seq
from public, anon, authenticated, service_role, rendio_server;

-- All our functions. Those that are not granted again below are called only by other procedures, such as add_credits and
-- deduct_credits, which move credits for any reason.
revoke all on function
  public.add_credits, public.admit_to_provider, public.admit_upload, public.adopt_media_store, public.announce_stream,
  public.apply_credits, public.begin_attempt, public.begin_generation, public.begin_upload, public.broken_invariants,
  public.cancel_generation, public.claim_initial_grant(uuid), public.claim_initial_grant(uuid, boolean),
  public.cleanup_rate_limit_logs, public.close_attempt, public.complete_initial_grant(uuid),
  public.complete_initial_grant(uuid, integer), public.complete_previous_rows, public.confirm_attempt, public.count_jobs, public.create_anonymous_user,
  public.current_user_folders, public.current_user_id, public.deduct_credits, public.delete_account,
  public.delete_generation, public.emit_event, public.end_attempt, public.enqueue, public.erase_account,
  public.expire_uploads, public.fail_attempt, public.fail_generation, public.find_response,
  public.finish_generation, public.finish_upload, public.forget_apple_revocation, public.forget_upload,
  public.forget_uploads, public.generation_price, public.guard_job_state, public.ids_of_account, public.is_made, public.keep_default_price,
  public.link_apple_identity, public.lock_account, public.lock_apple_sub, public.lock_job, public.log_error,
  public.mark_submitted, public.merge_guest, public.move_balance,
  public.note_provider_health, public.notify_access_change, public.onboard_device, public.open_device_session,
  public.open_session, public.prune_logs, public.rate_limit_state, public.redact, public.redact_notes,
  public.record_apple_identity, public.record_apple_notification,
  public.record_progress, public.record_provider_event, public.record_provider_outcome, public.refuse_ledger_change,
  public.remove_uploads, public.requeue_orphans, public.revoke_sessions, public.rotate_session,
  public.schedule_apple_revocation, public.schedule_cleanup, public.schedule_confirm,
  public.schedule_confirmation, public.schedule_poll, public.schedule_settle, public.schedule_stop,
  public.schedule_submit, public.sign_in_with_apple, public.stop_at_provider, public.store_apple_token,
  public.store_response, public.survivor_of, public.take_rate_limit, public.update_profile, public.update_user_metadata,
  public.withdraw_initial_grant, public.check_lots, public.credit_purchase, public.expire_due_lots, public.expire_lots,
  public.finish_store_notification, public.give_to_lots, public.lock_transaction, public.purchase_consumption,
  public.record_store_notification, public.refund_purchase, public.replay_store_notification,
  public.broken_balances, public.broken_by_changes, public.broken_by_jobs, public.broken_by_rows,
  public.broken_by_users, public.broken_generations, public.broken_lots, public.broken_purchases, public.check_changes,
  public.check_range, public.close_violations, public.compare_sums, public.create_code, public.money_rules,
  public.record_violations, public.redeem_code, public.schedule_store_notification, public.suspected_accounts,
  public.take_account_limit, public.take_from_lot, public.take_from_lots, public.alert_violations, public.count_credits,
  public.mark_alert_sent, public.raise_alert
from public, anon, authenticated, service_role, rendio_server;

grant usage on schema public to rendio_server, anon, authenticated;

-- The server may read everything, and write only through these procedures.
grant select on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings, public.proven_devices,
  public.merged_users, public.apple_identities, public.used_identity_tokens, public.apple_tokens, public.apple_revocations,
  public.apple_account_notifications, public.user_metadata, public.products, public.purchases, public.store_notifications,
  public.codes, public.code_uses, public.credit_lots, public.lot_movements, public.money_checks, public.audit_progress,
  public.money_violations, public.alerts, public.credit_totals
to rendio_server;
grant execute on function
  public.admit_upload, public.adopt_media_store, public.announce_stream, public.begin_attempt, public.begin_generation,
  public.begin_upload, public.broken_invariants, public.cancel_generation, public.claim_initial_grant(uuid),
  public.claim_initial_grant(uuid, boolean), public.close_attempt, public.complete_initial_grant(uuid),
  public.complete_initial_grant(uuid, integer), public.confirm_attempt, public.create_anonymous_user, public.current_user_id, public.delete_account,
  public.delete_generation, public.end_attempt, public.erase_account, public.expire_uploads, public.fail_attempt, public.fail_generation, public.finish_generation,
  public.finish_upload, public.forget_apple_revocation, public.forget_upload, public.forget_uploads,
  public.link_apple_identity, public.mark_submitted, public.note_provider_health,
  public.onboard_device, public.open_device_session, public.open_session, public.prune_logs, public.record_progress,
  public.record_apple_notification, public.record_provider_event, public.record_provider_outcome, public.remove_uploads,
  public.requeue_orphans, public.revoke_sessions, public.rotate_session, public.schedule_cleanup, public.schedule_confirm, public.schedule_confirmation,
  public.schedule_poll, public.schedule_settle, public.schedule_stop, public.schedule_submit, public.sign_in_with_apple,
  public.store_apple_token, public.survivor_of, public.take_rate_limit, public.update_profile,
  public.update_user_metadata, public.withdraw_initial_grant, public.credit_purchase, public.expire_due_lots,
  public.broken_balances, public.broken_generations, public.broken_lots, public.broken_purchases, public.check_changes,
  public.check_range, public.close_violations, public.compare_sums, public.finish_store_notification,
  public.money_rules, public.purchase_consumption, public.record_store_notification, public.redeem_code,
  public.refund_purchase, public.replay_store_notification, public.suspected_accounts, public.take_account_limit,
  public.raise_alert, public.mark_alert_sent
to rendio_server;

-- Users may read their own rows and the available models, by the row policies.
grant execute on function public.current_user_folders, public.current_user_id to anon, authenticated;
grant select on table public.models to anon, authenticated;
grant select on table public.users, public.video_jobs, public.quota_log to authenticated;

-- The server logs in as the owner and acts as rendio_server from its first statement on.
do $$
begin
  if not pg_has_role(
    'rendio_server',
    case when current_setting('server_version_num')::integer >= 160000 then 'SET' else 'MEMBER' end
  ) then
    grant rendio_server to current_user;
  end if;
end
$$;

insert into public.schema_history (name, hash) values ('grants.sql', '4a2fc0c9abdf8cd3207c72e8f0c2774506482656950ee2651cedbd74f3e2a7c1')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

reset check_function_bodies;

insert into public.schema_history (name, hash) values ('behaviour', '20261129000011')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
