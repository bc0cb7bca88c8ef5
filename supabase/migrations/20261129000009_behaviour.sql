-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: procedures/credits/broken_invariants.sql

set check_function_bodies = off;

-- source: procedures/credits/broken_invariants.sql sha256:3b9e5c6c273194f8ece1d9caa5854f634449d89fcd9c669a59a7f1cec937dd84
-- Every violation of a money rule that the rows of some users show: of those with `p_after` < id <= `p_until`; null: no bound.
-- No rows when all rules hold. One range of users costs the same however many others there are, so that a check of the whole
-- database is made of short statements.
create or replace function public.broken_invariants(p_after uuid default null, p_until uuid default null)
returns table (invariant text, subject uuid, details jsonb)
language plpgsql
stable
security definer
set search_path = ''
-- A plan for any range would read the whole tables.
set plan_cache_mode = force_custom_plan
as $$
declare
  v_after uuid := coalesce(p_after, '00000000-0000-0000-0000-000000000000');
  v_until uuid := coalesce(p_until, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
begin
  return query
  select 'a balance equals the sum of its ledger rows', u.id,
    jsonb_build_object('balance', u.credits_remaining, 'sum', coalesce(l.total, 0))
  from public.users u
  left join (
    select q.user_id, sum(q.change) as total
    from public.quota_log q
    where q.user_id > v_after and q.user_id <= v_until
    group by q.user_id
  ) l on l.user_id = u.id
  where u.id > v_after and u.id <= v_until and u.credits_remaining <> coalesce(l.total, 0);

  return query
  select 'every row carries the balance after it', r.user_id,
    jsonb_build_object('row', r.id, 'balance_after', r.balance_after, 'sum', r.running)
  from (
    select q.user_id, q.id, q.balance_after, sum(q.change) over (partition by q.user_id order by q.seq) as running
    from public.quota_log q
    where q.user_id > v_after and q.user_id <= v_until
  ) r
  where r.balance_after <> r.running;

  return query
  with jobs as materialized (
    -- Each half has an index of its own.
    select j.job_id, j.user_id, j.status, j.credits_used
    from public.video_jobs j
    where j.deleted_at is null and j.user_id > v_after and j.user_id <= v_until
    union all
    select j.job_id, j.user_id, j.status, j.credits_used
    from public.video_jobs j
    where j.deleted_at is not null and j.user_id > v_after and j.user_id <= v_until
  ), compared as (
    select j.*, m.*
    from jobs j
    cross join lateral (
      select
        count(*) filter (where q.reason = 'video_generation' and c.is_its_owners) as charges,
        -coalesce(sum(q.change) filter (where q.reason = 'video_generation' and c.is_its_owners), 0) as charged,
        count(*) filter (where q.reason = 'generation_failed_refund') as refunds,
        coalesce(sum(q.change) filter (where q.reason = 'generation_failed_refund'), 0) as refunded
      from public.quota_log q
      cross join lateral (
        -- A merged guest's charges stay in its ledger, while its jobs are the survivor's.
        select q.user_id = j.user_id or exists (
          select from public.merged_users g where g.user_id = q.user_id and g.survivor_id = j.user_id
        ) as is_its_owners
      ) c
      where q.job_id = j.job_id
    ) m
  )
  select 'a generation has one charge, of its price', c.job_id,
    jsonb_build_object('credits_used', c.credits_used, 'charged', c.charged, 'charges', c.charges)
  from compared c
  where c.charges <> 1 or c.charged <> c.credits_used
  union all
  select 'a failed generation has its credits back, once, and no other has', c.job_id,
    jsonb_build_object('status', c.status, 'refunds', c.refunds, 'refunded', c.refunded)
  from compared c
  where (c.status = 'failed' and (c.refunds <> 1 or c.refunded <> c.credits_used))
    or (c.status <> 'failed' and c.refunds <> 0);

  return query
  select 'the lifetime total counts grants and purchases', u.id,
    jsonb_build_object('credits_total', u.credits_total, 'sum', coalesce(l.earned, 0), 'merged', m.total)
  from public.users u
  left join (
    select q.user_id,
      sum(q.change) filter (
        where q.reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed')
      ) as earned
    from public.quota_log q
    where q.user_id > v_after and q.user_id <= v_until
    group by q.user_id
  ) l on l.user_id = u.id
  left join (
    select g.survivor_id, sum(g.credits_total) as credits_total
    from public.merged_users g
    where g.survivor_id > v_after and g.survivor_id <= v_until
    group by g.survivor_id
  ) arrived on arrived.survivor_id = u.id
  left join public.merged_users gone on gone.user_id = u.id
  cross join lateral (
    select coalesce(arrived.credits_total, 0) - coalesce(gone.credits_total, 0) as total
  ) m
  where u.id > v_after and u.id <= v_until
    and u.credits_total <> coalesce(l.earned, 0) + m.total;

  return query
  select 'a merged guest keeps nothing', g.user_id,
    jsonb_build_object('survivor', g.survivor_id, 'balance', u.credits_remaining, 'deleted_at', u.deleted_at)
  from public.merged_users g
  left join public.users u on u.id = g.user_id
  where g.user_id > v_after and g.user_id <= v_until
    and (
      u.id is null
      or u.deleted_at is null
      or u.credits_remaining <> 0
      or exists (select from public.job_counters c where c.user_id = g.user_id and c.jobs <> 0)
    );

  return query
  select 'a merge moves what it takes', s.id, jsonb_build_object('arrived', m.arrived, 'left', m.gone)
  from (
    select distinct survivor_id as id from public.merged_users where survivor_id > v_after and survivor_id <= v_until
  ) s
  cross join lateral (
    select
      coalesce((select sum(change) from public.quota_log where user_id = s.id and reason = 'account_merge'), 0) as arrived,
      -coalesce(
        (
          select sum(q.change)
          from public.merged_users g
          join public.quota_log q on q.user_id = g.user_id and q.reason = 'account_merge'
          where g.survivor_id = s.id
        ),
        0
      ) as gone
  ) m
  where m.arrived <> m.gone;

  return query
  select 'job counters say what the jobs say', coalesce(k.user_id, n.user_id),
    jsonb_build_object('status', coalesce(k.status, n.status), 'kept', k.jobs, 'counted', n.jobs)
  from (
    select c.* from public.job_counters c where c.user_id > v_after and c.user_id <= v_until
  ) k
  full join (
    select j.user_id, j.status, count(*) as jobs
    from public.video_jobs j
    where j.deleted_at is null and j.user_id > v_after and j.user_id <= v_until
    group by j.user_id, j.status
  ) n on n.user_id = k.user_id and n.status = k.status
  where coalesce(k.jobs, 0) <> coalesce(n.jobs, 0);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/credits/broken_invariants.sql', '3b9e5c6c273194f8ece1d9caa5854f634449d89fcd9c669a59a7f1cec937dd84')
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

-- source: grants.sql sha256:d60a29be53744d720e0cb69045092fdc3d7f9884316a3984bc4b66bcdb63a499
-- Privileges. Applied again after every change in db/, so that it also revokes what is no longer granted.
-- rendio_server: the API and the worker. anon, authenticated: users, through PostgREST and Realtime. service_role: nothing here;
-- named because hosted databases grant everything to it (and to the other two) by default.

revoke all on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings, public.proven_devices,
  public.merged_users, public.apple_identities, public.used_identity_tokens, public.apple_tokens, public.apple_revocations,
  public.apple_account_notifications, public.user_metadata
from public, anon, authenticated, service_role, rendio_server;

revoke all on sequence
  public.video_jobs_seq_seq, public.quota_log_seq_seq, public.user_events_id_seq, public.rate_limit_log_id_seq,
  public.error_log_id_seq, public.admin_actions_id_seq, public.provider_events_id_seq
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
  public.forget_uploads, public.generation_price, public.guard_job_state, public.is_made, public.keep_default_price,
  public.link_apple_identity, public.lock_account, public.lock_apple_sub, public.lock_job, public.log_error,
  public.mark_submitted, public.merge_guest, public.move_balance,
  public.note_provider_health, public.notify_access_change, public.onboard_device, public.open_device_session,
  public.open_session, public.prune_logs, public.rate_limit_state,
  public.record_apple_identity, public.record_apple_notification,
  public.record_progress, public.record_provider_event, public.record_provider_outcome, public.refuse_ledger_change,
  public.remove_uploads, public.requeue_orphans, public.revoke_sessions, public.rotate_session,
  public.schedule_apple_revocation, public.schedule_cleanup, public.schedule_confirm,
  public.schedule_confirmation, public.schedule_poll, public.schedule_settle, public.schedule_stop,
  public.schedule_submit, public.sign_in_with_apple, public.stop_at_provider, public.store_apple_token,
  public.store_response, public.survivor_of, public.take_rate_limit, public.update_profile, public.update_user_metadata,
  public.withdraw_initial_grant
from public, anon, authenticated, service_role, rendio_server;

grant usage on schema public to rendio_server, anon, authenticated;

-- The server may read everything, and write only through these procedures.
grant select on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings, public.proven_devices,
  public.merged_users, public.apple_identities, public.used_identity_tokens, public.apple_tokens, public.apple_revocations,
  public.apple_account_notifications, public.user_metadata
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
  public.update_user_metadata, public.withdraw_initial_grant
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

insert into public.schema_history (name, hash) values ('grants.sql', 'd60a29be53744d720e0cb69045092fdc3d7f9884316a3984bc4b66bcdb63a499')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

reset check_function_bodies;

insert into public.schema_history (name, hash) values ('behaviour', '20261129000009')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
