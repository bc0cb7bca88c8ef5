-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: procedures/accounts/onboard_device.sql, procedures/previous_version.sql, procedures/storage/admit_upload.sql, procedures/storage/adopt_media_store.sql, procedures/storage/begin_upload.sql, procedures/storage/forget_uploads.sql, procedures/storage/remove_uploads.sql, grants-hosted.sql, grants.sql

set check_function_bodies = off;

-- source: procedures/accounts/onboard_device.sql sha256:8a9be64c94603893123430118da91013849a9ed49235d8a05188cd48598023b8
-- Finds or creates the account of a device. A device id never gives access to an account that has signed in with Apple: such an
-- account loses the id, because its owner signs in through Apple; so does a deleted one. The device then gets a guest account.
-- `p_is_proven`: Apple has verified the device. Such a guest may store more.
-- `claiming`: a claim to the initial grant is open; `claimed_bit1`: the value of the second bit that it writes at Apple.
-- @returns {
--   user_id: string, is_new: boolean, credits_remaining: number, initial_grant_claimed: boolean,
--   claiming: boolean, claimed_bit1: boolean | null
-- }
create or replace function public.onboard_device(
  p_device_id text,
  p_language text default 'en',
  p_is_proven boolean default false
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
  v_grant public.device_grants;
  v_is_new boolean := false;
begin
  loop
    select * into v_user from public.users where device_id = p_device_id for update;
    if found then
      exit when v_user.apple_sub is null and v_user.deleted_at is null;
      update public.users set device_id = null, updated_at = now() where id = v_user.id;
    end if;
    insert into public.users (device_id, language)
    values (p_device_id, p_language)
    on conflict (device_id) do nothing
    returning * into v_user;
    if found then
      v_is_new := true;
      exit;
    end if;
  end loop;

  if p_is_proven then
    insert into public.proven_devices (user_id) values (v_user.id) on conflict (user_id) do nothing;
  end if;
  select * into v_grant from public.device_grants where user_id = v_user.id;
  return jsonb_build_object(
    'user_id', v_user.id,
    'is_new', v_is_new,
    'credits_remaining', v_user.credits_remaining,
    'initial_grant_claimed', v_user.initial_grant_claimed,
    'claiming', coalesce(v_grant.state = 'claiming', false),
    'claimed_bit1', v_grant.bit1
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/accounts/onboard_device.sql', '8a9be64c94603893123430118da91013849a9ed49235d8a05188cd48598023b8')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/previous_version.sql sha256:7c6a4dafd7a683e8b496d041f46acae6dff65b1858838267359bdb02a9f1a4fe
-- What servers of the previous version call while they run beside new ones. To be deleted with the next version.

create or replace function public.complete_initial_grant(p_user_id uuid, p_amount integer) returns integer
language sql
security definer
set search_path = ''
as $$
  select public.complete_initial_grant(p_user_id)
$$;

create or replace function public.forget_upload(p_id uuid) returns boolean
language sql
security definer
set search_path = ''
as $$
  select public.forget_uploads(jsonb_build_array(p_id)) > 0
$$;

create or replace function public.note_provider_health(p_provider text, p_job_id uuid, p_fared text) returns text
language sql
security definer
set search_path = ''
as $$
  select public.record_provider_outcome(p_provider, p_job_id, case p_fared when 'refused' then 'turned_away' else p_fared end)
$$;

create or replace function public.schedule_confirm(
  p_job_id uuid,
  p_provider_job_id text,
  p_delay_ms integer,
  p_look integer default 1
) returns void
language sql
security definer
set search_path = ''
as $$
  select public.schedule_confirmation(p_job_id, p_provider_job_id, p_delay_ms, p_look)
$$;

create or replace function public.schedule_settle(p_job_id uuid, p_delay_ms integer) returns void
language sql
security definer
set search_path = ''
as $$
  select public.schedule_poll(p_job_id, p_delay_ms)
$$;

create or replace function public.schedule_stop(p_job_id uuid, p_delay_ms integer) returns void
language sql
security definer
set search_path = ''
as $$
  select public.schedule_cleanup(p_job_id, p_delay_ms)
$$;

-- Calls that began before the upgrade still write rows of the previous version. This trigger completes them.
create or replace function public.complete_previous_rows() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if tg_table_name = 'uploads' then
    new.file := coalesce(
      new.file,
      'user_uploads/' || new.user_id || '/' || new.id || '.' || case new.content_type
        when 'image/jpeg' then 'jpg'
        when 'image/png' then 'png'
        else 'webp'
      end
    );
  elsif tg_table_name = 'video_jobs' then
    new.media_path := coalesce(
      new.media_path,
      new.user_id || '/' || to_char(new.created_at at time zone 'utc', 'YYYY-MM') || '/' || new.job_id
    );
  else
    new.state := case new.state when 'refused' then 'retryable' when 'rejected' then 'declined' else new.state end;
  end if;
  return new;
end
$$;
create or replace trigger uploads_complete_previous_rows
  before insert on public.uploads
  for each row execute function public.complete_previous_rows();
create or replace trigger video_jobs_complete_previous_rows
  before insert on public.video_jobs
  for each row execute function public.complete_previous_rows();
create or replace trigger provider_attempts_complete_previous_rows
  before update of state on public.provider_attempts
  for each row execute function public.complete_previous_rows();

-- Calls with named arguments reach the new functions as well.
drop function if exists public.begin_generation(
  uuid, uuid, text, uuid, text, jsonb, text, inet, integer, integer, integer, integer
);
drop function if exists public.begin_upload(
  uuid, text, text, integer, integer, integer, text, boolean, integer, bigint
);
drop function if exists public.onboard_device(text, text);
drop function if exists public.finish_generation(uuid, text, text, bigint, text, numeric);
drop function if exists public.stop_at_provider(uuid);
drop function if exists public.broken_invariants();
drop function if exists public.prune_logs();
drop function if exists public.cancel_generation(uuid, uuid, uuid, text);

insert into public.schema_history (name, hash) values ('procedures/previous_version.sql', '7c6a4dafd7a683e8b496d041f46acae6dff65b1858838267359bdb02a9f1a4fe')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/admit_upload.sql sha256:610efd16ecd16e9a058ff64268936aa3f63ccb6c1212243cef0f4b8f3b04b88b
-- Whether an account may upload so many bytes to this path now. A guest whose device Apple has not verified may keep less.
-- @returns {outcome: 'admitted'}
--   | {outcome: 'exists' | 'user_not_found' | 'banned'}
--   | {outcome: 'full', pictures_max: number, bytes_max: number}
create or replace function public.admit_upload(
  p_user_id uuid,
  p_path text,
  p_bytes integer,
  p_upsert boolean,
  p_pictures_max integer,
  p_bytes_max bigint,
  p_bytes_max_unproven bigint
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
  v_bytes_max bigint := p_bytes_max;
  v_pictures integer;
  v_bytes bigint;
begin
  select * into v_user from public.users where id = p_user_id and deleted_at is null;
  if not found then
    return jsonb_build_object('outcome', 'user_not_found');
  end if;
  if exists (select from public.user_bans where user_id = p_user_id) then
    return jsonb_build_object('outcome', 'banned');
  end if;
  if not p_upsert and exists (select from public.uploads where path = p_path) then
    return jsonb_build_object('outcome', 'exists');
  end if;
  if v_user.is_guest and not exists (select from public.proven_devices where user_id = p_user_id) then
    v_bytes_max := least(p_bytes_max, p_bytes_max_unproven);
  end if;

  -- Unfinished uploads count too, so that concurrent uploads do not exceed the limit; the one that is replaced does not.
  select count(*), coalesce(sum(bytes), 0) into v_pictures, v_bytes
  from public.uploads
  where user_id = p_user_id and path <> p_path;
  if v_pictures >= p_pictures_max or v_bytes + p_bytes > v_bytes_max then
    return jsonb_build_object('outcome', 'full', 'pictures_max', p_pictures_max, 'bytes_max', v_bytes_max);
  end if;
  return jsonb_build_object('outcome', 'admitted');
end
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/admit_upload.sql', '610efd16ecd16e9a058ff64268936aa3f63ccb6c1212243cef0f4b8f3b04b88b')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/adopt_media_store.sql sha256:1e4335030e13b16e7c593cffa5705b14f0ba2ea519066efe892d2864cd729b09
-- Records the id of the store that holds this database's files. The first one stays: returns the recorded id.
-- @returns string
create or replace function public.adopt_media_store(p_id uuid) returns uuid
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.settings set media_store_id = p_id, updated_at = now() where media_store_id is null;
  return (select media_store_id from public.settings);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/adopt_media_store.sql', '1e4335030e13b16e7c593cffa5705b14f0ba2ea519066efe892d2864cd729b09')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/begin_upload.sql sha256:0e14bc7a8a42e932a5e1f5b3fb99fcc0bbd9dbfd4ef8cbeaafae1141e1180339
-- Creates the row of a file that is not stored yet. Every version of an upload is a row and a file of its own, named by its id,
-- so that two writers of one path never touch each other's file. Owners see rows with stored_at. A row without it is being
-- stored or deleted; its path, `<user_id>/~<id>`, is a name that no caller can use.
-- `file`: the key of the file in the media store.
-- @returns {outcome: 'begun', id: string, file: string}
--   | {outcome: 'exists' | 'user_not_found' | 'banned'}
--   | {outcome: 'full', pictures_max: number, bytes_max: number}
create or replace function public.begin_upload(
  p_user_id uuid,
  p_path text,
  p_content_type text,
  p_bytes integer,
  p_width integer,
  p_height integer,
  p_sha256 text,
  p_upsert boolean,
  p_pictures_max integer,
  p_bytes_max bigint,
  -- Null from servers of the previous version.
  p_bytes_max_unproven bigint default null,
  p_metadata jsonb default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id uuid := gen_random_uuid();
  v_file text := 'user_uploads/' || p_user_id || '/' || v_id || '.' || case p_content_type
    when 'image/jpeg' then 'jpg'
    when 'image/png' then 'png'
    else 'webp'
  end;
  v_admitted jsonb;
begin
  -- Uploads of one account are admitted one after another, so that together they do not exceed its limit.
  perform from public.users where id = p_user_id for update;
  v_admitted := public.admit_upload(
    p_user_id, p_path, p_bytes, p_upsert, p_pictures_max, p_bytes_max, coalesce(p_bytes_max_unproven, p_bytes_max)
  );
  if v_admitted ->> 'outcome' <> 'admitted' then
    return v_admitted;
  end if;

  insert into public.uploads (id, user_id, path, file, content_type, bytes, width, height, sha256, metadata)
  values (
    v_id, p_user_id, p_user_id || '/~' || v_id, v_file, p_content_type, p_bytes, p_width, p_height, p_sha256, p_metadata
  );
  return jsonb_build_object('outcome', 'begun', 'id', v_id, 'file', v_file);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/begin_upload.sql', '0e14bc7a8a42e932a5e1f5b3fb99fcc0bbd9dbfd4ef8cbeaafae1141e1180339')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/forget_uploads.sql sha256:25b7ff3e8a45550b2fb1496534a97dc0e52db62d8fda81a41062a8aa9ec591bc
-- Deletes the rows of uploads whose files are not, or no longer, in the store. Rows that are in use stay. Returns how many
-- were deleted.
create or replace function public.forget_uploads(p_ids jsonb) returns integer
language sql
security definer
set search_path = ''
as $$
  with forgotten as (
    delete from public.uploads
    where id = any (array(select jsonb_array_elements_text(p_ids)::uuid)) and stored_at is null
    returning 1
  )
  select count(*)::integer from forgotten
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/forget_uploads.sql', '25b7ff3e8a45550b2fb1496534a97dc0e52db62d8fda81a41062a8aa9ec591bc')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/storage/remove_uploads.sql sha256:99527308cef97bab6b1319be12872d82bafd4697967891e5384b61a9bffbc152
-- Hides uploads from their owner; the caller deletes the files and then the rows. Unknown paths are ignored. Returns the rows
-- as they were before.
-- @returns UploadRow[]
-- @type UploadRow {
--   id: string, user_id: string, path: string, file: string, content_type: string, bytes: number, width: number,
--   height: number, sha256: string, created_at: string, updated_at: string, stored_at: string | null,
--   metadata: unknown
-- }
create or replace function public.remove_uploads(p_user_id uuid, p_paths jsonb) returns jsonb
language sql
security definer
set search_path = ''
as $$
  with theirs as (
    select *
    from public.uploads
    where user_id = p_user_id
      and stored_at is not null
      and path in (select jsonb_array_elements_text(p_paths))
    for update
  ), hidden as (
    update public.uploads u
    set path = u.user_id || '/~' || u.id, stored_at = null, updated_at = clock_timestamp()
    from theirs
    where u.id = theirs.id
  )
  select coalesce(jsonb_agg(to_jsonb(theirs) order by path), '[]') from theirs
$$;

insert into public.schema_history (name, hash) values ('procedures/storage/remove_uploads.sql', '99527308cef97bab6b1319be12872d82bafd4697967891e5384b61a9bffbc152')
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

-- source: grants-hosted.sql sha256:ea50dfbd16ffaf7d04097c69351dded69324437bd44038f5c6e43b08a45c3ef8
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

  -- The first folder of a path is its owner's id. Policies are OR-ed; only the policies with these names are replaced.
  drop policy if exists rendio_people_read_their_media on storage.objects;
  create policy rendio_people_read_their_media on storage.objects
    for select to authenticated
    using (
      bucket_id in ('videos', 'thumbnails', 'user_uploads')
      and (storage.foldername(name))[1] = (select public.current_user_id())::text
    );

  -- Of earlier versions, whose uploads passed by the server.
  drop policy if exists rendio_people_add_their_uploads on storage.objects;
  drop policy if exists rendio_people_replace_their_uploads on storage.objects;

  drop policy if exists rendio_people_remove_their_uploads on storage.objects;
  create policy rendio_people_remove_their_uploads on storage.objects
    for delete to authenticated
    using (bucket_id = 'user_uploads' and (storage.foldername(name))[1] = (select public.current_user_id())::text);
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

insert into public.schema_history (name, hash) values ('grants-hosted.sql', 'ea50dfbd16ffaf7d04097c69351dded69324437bd44038f5c6e43b08a45c3ef8')
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

-- source: grants.sql sha256:cca8cc2e3a24726b8dde9096e05ba05e1787bfded1bcc1903d57ce214e41a135
-- Privileges. Applied again after every change in db/, so that it also revokes what is no longer granted.
-- rendio_server: the API and the worker. anon, authenticated: users, through PostgREST and Realtime. service_role: nothing here;
-- named because hosted databases grant everything to it (and to the other two) by default.

revoke all on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings, public.proven_devices
from public, anon, authenticated, service_role, rendio_server;

revoke all on sequence
  public.video_jobs_seq_seq, public.quota_log_seq_seq, public.user_events_id_seq, public.rate_limit_log_id_seq,
  public.error_log_id_seq, public.admin_actions_id_seq, public.provider_events_id_seq
from public, anon, authenticated, service_role, rendio_server;

-- All our functions. Those that are not granted again below are called only by other procedures, such as add_credits and
-- deduct_credits, which move credits for any reason.
revoke all on function
  public.add_credits, public.admit_to_provider, public.admit_upload, public.adopt_media_store, public.apply_credits, public.begin_attempt, public.begin_generation,
  public.begin_upload, public.broken_invariants, public.cancel_generation, public.claim_initial_grant,
  public.cleanup_rate_limit_logs, public.close_attempt, public.complete_initial_grant(uuid),
  public.complete_initial_grant(uuid, integer), public.complete_previous_rows, public.confirm_attempt, public.count_jobs,
  public.current_user_id, public.deduct_credits, public.delete_generation, public.emit_event, public.end_attempt,
  public.enqueue, public.expire_uploads, public.fail_attempt, public.fail_generation, public.find_response,
  public.finish_generation, public.finish_upload, public.forget_upload, public.forget_uploads,
  public.generation_price, public.guard_job_state,
  public.is_made, public.keep_default_price, public.lock_job, public.log_error, public.mark_submitted,
  public.note_provider_health, public.onboard_device, public.open_session, public.prune_logs, public.rate_limit_state,
  public.record_progress, public.record_provider_event, public.record_provider_outcome, public.refuse_ledger_change,
  public.remove_uploads, public.requeue_orphans, public.rotate_session, public.schedule_cleanup, public.schedule_confirm,
  public.schedule_confirmation, public.schedule_poll, public.schedule_settle, public.schedule_stop,
  public.schedule_submit, public.store_response, public.take_rate_limit, public.update_profile,
  public.withdraw_initial_grant
from public, anon, authenticated, service_role, rendio_server;

grant usage on schema public to rendio_server, anon, authenticated;

-- The server may read everything, and write only through these procedures.
grant select on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings, public.proven_devices
to rendio_server;
grant execute on function
  public.admit_upload, public.adopt_media_store, public.begin_attempt, public.begin_generation, public.begin_upload, public.broken_invariants,
  public.cancel_generation, public.claim_initial_grant, public.close_attempt, public.complete_initial_grant(uuid),
  public.complete_initial_grant(uuid, integer), public.confirm_attempt, public.current_user_id,
  public.delete_generation, public.end_attempt, public.expire_uploads, public.fail_attempt, public.fail_generation,
  public.finish_generation, public.finish_upload, public.forget_upload, public.forget_uploads,
  public.mark_submitted,
  public.note_provider_health, public.onboard_device, public.open_session, public.prune_logs, public.record_progress,
  public.record_provider_event, public.record_provider_outcome, public.remove_uploads, public.requeue_orphans,
  public.rotate_session, public.schedule_cleanup, public.schedule_confirm, public.schedule_confirmation,
  public.schedule_poll, public.schedule_settle, public.schedule_stop, public.schedule_submit, public.take_rate_limit,
  public.update_profile, public.withdraw_initial_grant
to rendio_server;

-- Users may read their own rows and the available models, by the row policies.
grant execute on function public.current_user_id to anon, authenticated;
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

insert into public.schema_history (name, hash) values ('grants.sql', 'cca8cc2e3a24726b8dde9096e05ba05e1787bfded1bcc1903d57ce214e41a135')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

reset check_function_bodies;

insert into public.schema_history (name, hash) values ('behaviour', '20261129000006')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
