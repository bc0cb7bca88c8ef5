-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.

-- source: procedures/provider_events.sql sha256:e025e700b37986322539fa0b1804aba0029f479dba500c208a1433db227c26ac
-- What providers tell us by themselves. An event is a hint that makes us look sooner; looking decides.

-- Sees to it that what a verified event concerns is looked at, and records the event, once. One that names no job of ours
-- leaves nothing behind: vendors sign for all their customers, and any of those may send events here.
-- `p_providers`: an array of those for whom its sender may speak. Returns {outcome: recorded, effect} | {outcome: repeated} |
-- {outcome: foreign}; effects as the table tells them.
create or replace function public.record_provider_event(
  p_sender text,
  p_event_key text,
  p_providers jsonb,
  p_job_id uuid,
  p_provider_job_id text
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs;
  v_effect text := 'ignored';
begin
  select * into v_job
  from public.video_jobs
  where provider in (select jsonb_array_elements_text(p_providers)) and provider_job_id = p_provider_job_id;
  if not found and p_job_id is not null then
    -- Locked, so that a submit that is just being written down is seen with its answer.
    v_job := public.lock_job(p_job_id);
    if not p_providers ? v_job.provider then
      v_job := null;
    end if;
  end if;
  if v_job.job_id is null then
    return jsonb_build_object('outcome', 'foreign');
  end if;

  if v_job.status = 'processing' and v_job.provider_job_id = p_provider_job_id then
    -- Once the provider has said that the video is made, a task has it in hand until it is here: a second would fetch it twice.
    if not exists (
      select from public.provider_attempts where job_id = v_job.job_id and state = 'accepted' and result = 'completed'
    ) then
      v_effect := 'woke';
    end if;
  elsif p_provider_job_id is not null and exists (
    select from public.provider_attempts where job_id = v_job.job_id and state in ('submitting', 'unknown')
  ) then
    v_effect := 'unconfirmed';
  end if;

  insert into public.provider_events (sender, event_key, job_id, provider_job_id, effect)
  values (p_sender, p_event_key, p_job_id, p_provider_job_id, v_effect)
  on conflict (sender, event_key) do nothing;
  if not found then
    return jsonb_build_object('outcome', 'repeated');
  end if;
  if v_effect = 'woke' then
    perform public.schedule_settle(v_job.job_id, 0);
  elsif v_effect = 'unconfirmed' then
    perform public.schedule_confirm(v_job.job_id, p_provider_job_id, 0);
  end if;
  return jsonb_build_object('outcome', 'recorded', 'effect', v_effect);
end
$$;

-- Asks the provider, after a while, whether a job that an event names is ours: signed events of a vendor may be about any
-- of its customers' jobs. `p_look` counts the questions that were answered.
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
  select graphile_worker.add_job(
    'confirm_attempt',
    json_build_object('job_id', p_job_id, 'provider_job_id', p_provider_job_id, 'look', p_look),
    run_at := clock_timestamp() + make_interval(secs => greatest(p_delay_ms, 0) / 1000.0),
    max_attempts := 1000,
    job_key := 'confirm:' || p_job_id || ':' || md5(p_provider_job_id)
  )
$$;

-- The provider has said, asked with our key, that it has the job under this id: the attempt that nobody could tell the
-- outcome of is the one. Returns {outcome} as mark_submitted does, or none where no such attempt is open.
create or replace function public.confirm_attempt(p_job_id uuid, p_provider_job_id text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_attempt_id uuid;
begin
  perform public.lock_job(p_job_id);
  select id into v_attempt_id
  from public.provider_attempts
  where job_id = p_job_id and state in ('submitting', 'unknown');
  if not found then
    return jsonb_build_object('outcome', 'none');
  end if;
  return public.mark_submitted(p_job_id, v_attempt_id, p_provider_job_id, p_provider_job_id);
end
$$;

-- What came of the attempt that the provider had accepted: completed | failed | stopped. Written once.
create or replace function public.end_attempt(p_job_id uuid, p_result text, p_error text, p_cost_usd numeric)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.provider_attempts
  set result = p_result,
      result_error = left(p_error, 4000),
      -- What is no price of a video is nothing that the column could hold, either.
      vendor_cost_usd = case when p_cost_usd between 0 and 99999 then p_cost_usd end,
      ended_at = clock_timestamp()
  where job_id = p_job_id and state = 'accepted' and result is null;
  return found;
end
$$;

insert into public.schema_history (name, hash) values ('procedures/provider_events.sql', 'e025e700b37986322539fa0b1804aba0029f479dba500c208a1433db227c26ac')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: grants-queue.sql sha256:e2e9472948d4dfa012015ed57c17f72c679c0894877c11fe58a0a343e5ac1421
-- The worker runs as the server's role, which the queue's own migrations know nothing of. Without the policies it would
-- see no jobs, silently.
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

insert into public.schema_history (name, hash) values ('grants-queue.sql', 'e2e9472948d4dfa012015ed57c17f72c679c0894877c11fe58a0a343e5ac1421')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: grants-hosted.sql sha256:8e40c4b83020224f1f66acb7cdf82133270b0ebc6e37dae4a32b91db8eb6f6b7
-- For databases that Supabase keeps: who may touch media through its Storage, and what its Realtime sends. Elsewhere these
-- schemas do not exist, and nothing happens here.

-- Private buckets. Only the server, which is not bound by these policies, writes videos and thumbnails.
do $$
begin
  if to_regclass('storage.buckets') is null or to_regclass('storage.objects') is null then
    return;
  end if;

  insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
  values
    ('videos', 'videos', false, 524288000, array['video/mp4', 'video/quicktime', 'video/webm']),
    ('thumbnails', 'thumbnails', false, 10485760, array['image/jpeg', 'image/png', 'image/webp']),
    ('user_uploads', 'user_uploads', false, 10485760, array['image/jpeg', 'image/png', 'image/webp'])
  on conflict (id) do update set
    public = excluded.public,
    file_size_limit = excluded.file_size_limit,
    allowed_mime_types = excluded.allowed_mime_types;

  -- The first folder of a path is its owner. Policies are OR-ed: these names are ours, others' are left alone.
  drop policy if exists rendio_people_read_their_media on storage.objects;
  create policy rendio_people_read_their_media on storage.objects
    for select to authenticated
    using (
      bucket_id in ('videos', 'thumbnails', 'user_uploads')
      and (storage.foldername(name))[1] = (select public.current_user_id())::text
    );

  drop policy if exists rendio_people_add_their_uploads on storage.objects;
  create policy rendio_people_add_their_uploads on storage.objects
    for insert to authenticated
    with check (
      bucket_id = 'user_uploads' and (storage.foldername(name))[1] = (select public.current_user_id())::text
    );

  drop policy if exists rendio_people_replace_their_uploads on storage.objects;
  create policy rendio_people_replace_their_uploads on storage.objects
    for update to authenticated
    using (bucket_id = 'user_uploads' and (storage.foldername(name))[1] = (select public.current_user_id())::text)
    with check (
      bucket_id = 'user_uploads' and (storage.foldername(name))[1] = (select public.current_user_id())::text
    );

  drop policy if exists rendio_people_remove_their_uploads on storage.objects;
  create policy rendio_people_remove_their_uploads on storage.objects
    for delete to authenticated
    using (bucket_id = 'user_uploads' and (storage.foldername(name))[1] = (select public.current_user_id())::text);
end
$$;

-- Realtime sends the changes of a published table to those who may read the row: people_read_their_jobs decides.
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

insert into public.schema_history (name, hash) values ('grants-hosted.sql', '8e40c4b83020224f1f66acb7cdf82133270b0ebc6e37dae4a32b91db8eb6f6b7')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: grants.sql sha256:8380226d24e8ed105f1d40cfac0548a9bac2b4cf97d8b0186538cab785e85da8
-- Who may do what. Applied anew after every change in db/, so it also takes back what nobody may do any more.
-- rendio_server: the API and the worker. anon, authenticated: people, through PostgREST and Realtime. service_role: may do
-- nothing here; named because hosted databases grant everything to it (and to the other two) by default.

revoke all on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads
from public, anon, authenticated, service_role, rendio_server;

revoke all on sequence
  public.video_jobs_seq_seq, public.quota_log_seq_seq, public.user_events_id_seq, public.rate_limit_log_id_seq,
  public.error_log_id_seq, public.admin_actions_id_seq, public.provider_events_id_seq
from public, anon, authenticated, service_role, rendio_server;

-- Every function of ours. Those that are not granted again below are called by other procedures alone.
revoke all on function
  public.add_credits, public.admit_to_provider, public.apply_credits, public.begin_attempt, public.begin_generation,
  public.begin_upload, public.broken_invariants, public.cancel_generation, public.claim_initial_grant,
  public.cleanup_rate_limit_logs, public.close_attempt, public.complete_initial_grant, public.confirm_attempt,
  public.count_jobs, public.current_user_id, public.deduct_credits, public.delete_generation, public.emit_event,
  public.end_attempt, public.expire_uploads, public.fail_attempt, public.fail_generation, public.finish_generation,
  public.finish_upload, public.forget_upload, public.generation_price, public.guard_job_state,
  public.keep_default_price, public.lock_job, public.log_error, public.mark_submitted, public.note_provider_health,
  public.onboard_device, public.open_session, public.prune_logs, public.rate_limit_state, public.record_progress,
  public.record_provider_event, public.refuse_ledger_change, public.remove_uploads, public.requeue_orphans,
  public.rotate_session, public.schedule_confirm, public.schedule_settle, public.schedule_submit,
  public.stop_at_provider, public.take_rate_limit, public.update_profile, public.withdraw_initial_grant
from public, anon, authenticated, service_role, rendio_server;

grant usage on schema public to rendio_server, anon, authenticated;

-- The server reads everything and writes nothing but through these procedures.
grant select on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads
to rendio_server;
grant execute on function
  public.add_credits, public.begin_attempt, public.begin_generation, public.begin_upload, public.broken_invariants,
  public.cancel_generation, public.claim_initial_grant, public.close_attempt, public.complete_initial_grant,
  public.confirm_attempt, public.current_user_id, public.deduct_credits, public.delete_generation, public.end_attempt,
  public.expire_uploads, public.fail_attempt, public.fail_generation, public.finish_generation, public.finish_upload,
  public.forget_upload, public.generation_price, public.log_error, public.mark_submitted, public.note_provider_health,
  public.onboard_device, public.open_session, public.prune_logs, public.rate_limit_state, public.record_progress,
  public.record_provider_event, public.remove_uploads, public.requeue_orphans, public.rotate_session,
  public.schedule_confirm, public.schedule_settle, public.schedule_submit, public.take_rate_limit,
  public.update_profile, public.withdraw_initial_grant
to rendio_server;

-- People: their own rows and the models on offer, as the row policies say.
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

insert into public.schema_history (name, hash) values ('grants.sql', '8380226d24e8ed105f1d40cfac0548a9bac2b4cf97d8b0186538cab785e85da8')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
