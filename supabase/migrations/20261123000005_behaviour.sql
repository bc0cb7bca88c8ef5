-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.

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

-- source: grants.sql sha256:a81e00bad298b649584e19b9a6704ad287b7d2258f30856fb7ce6d23a4efea53
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
  public.add_credits, public.apply_credits, public.begin_attempt, public.begin_generation, public.broken_invariants,
  public.cancel_generation, public.claim_initial_grant, public.cleanup_rate_limit_logs, public.close_attempt,
  public.complete_initial_grant, public.count_jobs, public.current_user_id, public.deduct_credits,
  public.delete_generation, public.emit_event, public.fail_generation, public.finish_generation,
  public.generation_price, public.guard_job_state, public.keep_default_price, public.lock_job, public.log_error,
  public.mark_submitted, public.onboard_device, public.open_session, public.prune_logs, public.rate_limit_state,
  public.record_progress, public.refuse_ledger_change, public.requeue_orphans, public.rotate_session,
  public.schedule_settle, public.schedule_submit, public.stop_at_provider, public.take_rate_limit,
  public.update_profile, public.withdraw_initial_grant
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
  public.add_credits, public.begin_attempt, public.begin_generation, public.broken_invariants, public.cancel_generation,
  public.claim_initial_grant, public.close_attempt, public.complete_initial_grant, public.current_user_id,
  public.deduct_credits, public.delete_generation, public.fail_generation, public.finish_generation,
  public.generation_price, public.log_error, public.mark_submitted, public.onboard_device, public.open_session,
  public.prune_logs, public.rate_limit_state, public.record_progress, public.requeue_orphans, public.rotate_session,
  public.schedule_settle, public.schedule_submit, public.take_rate_limit, public.update_profile,
  public.withdraw_initial_grant
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

insert into public.schema_history (name, hash) values ('grants.sql', 'a81e00bad298b649584e19b9a6704ad287b7d2258f30856fb7ce6d23a4efea53')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
