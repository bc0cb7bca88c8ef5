-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: roles.sql, procedures/credits/broken_invariants.sql, procedures/generations/cancel_generation.sql, procedures/limits/rate_limit_state.sql, procedures/maintenance/prune_logs.sql, procedures/previous_version.sql, grants-policies.sql

set check_function_bodies = off;

-- source: roles.sql sha256:37cacb9f386c50c29e20f724bb15262bcae1c052bc95237c5d1c0399e5194175
-- The roles that grants and policies name, created wherever they are missing: roles belong to the cluster and are not part of a
-- database's dump.
do $$
declare
  v_role text;
begin
  foreach v_role in array array['rendio_server', 'anon', 'authenticated', 'service_role'] loop
    -- Another database's migration may create it at the same moment.
    begin
      if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
        execute format('create role %I nologin noinherit', v_role);
      end if;
    exception
      when duplicate_object or unique_violation then null;
    end;
  end loop;
end
$$;

insert into public.schema_history (name, hash) values ('roles.sql', '37cacb9f386c50c29e20f724bb15262bcae1c052bc95237c5d1c0399e5194175')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/credits/broken_invariants.sql sha256:4387713b8c7c0065b2196be3ac9f78dd197dea4aea8093109580c2c66599b52c
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
        count(*) filter (where q.reason = 'video_generation' and q.user_id = j.user_id) as charges,
        -coalesce(sum(q.change) filter (where q.reason = 'video_generation' and q.user_id = j.user_id), 0) as charged,
        count(*) filter (where q.reason = 'generation_failed_refund') as refunds,
        coalesce(sum(q.change) filter (where q.reason = 'generation_failed_refund'), 0) as refunded
      from public.quota_log q
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
    jsonb_build_object('credits_total', u.credits_total, 'sum', coalesce(l.earned, 0))
  from public.users u
  left join (
    select q.user_id,
      sum(q.change) filter (
        where q.reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed')
      ) as earned,
      bool_or(q.reason = 'account_merge') as is_merged
    from public.quota_log q
    where q.user_id > v_after and q.user_id <= v_until
    group by q.user_id
  ) l on l.user_id = u.id
  where u.id > v_after and u.id <= v_until
    and u.credits_total <> coalesce(l.earned, 0)
    and l.is_merged is not true;

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

insert into public.schema_history (name, hash) values ('procedures/credits/broken_invariants.sql', '4387713b8c7c0065b2196be3ac9f78dd197dea4aea8093109580c2c66599b52c')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/generations/cancel_generation.sql sha256:9a7b2b03f36d821f514939d4c1fefafe3f9efd6e7aae7c36e944d3f7e3bb1786
-- Cancels a generation for its owner and refunds it. With a key, a repeat gets the first response. `final`: the job has ended,
-- or its video is made. The vendor bills what it has begun, so of jobs that were sent and not known as `p_is_begun` = false
-- only `p_limit_refunded` an hour are refunded to an account; null: no limit.
-- @returns {outcome: 'cancelled' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'key_reused' | 'not_found'}
--   | {outcome: 'final', status: string}
--   | {
--     outcome: 'rate_limited', limit: number, window_seconds: number, remaining: number, reset_seconds: number, allowed: boolean
--   }
create or replace function public.cancel_generation(
  p_user_id uuid,
  p_job_id uuid,
  p_idempotency_key uuid default null,
  p_request_hash text default null,
  p_limit_refunded integer default null,
  p_is_begun boolean default true
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs;
  v_earlier jsonb;
  v_state jsonb;
  v_response jsonb;
begin
  perform from public.users where id = p_user_id for update;
  v_earlier := public.find_response(p_user_id, p_idempotency_key, 'cancel_video_job', p_request_hash);
  if v_earlier is not null then
    return v_earlier;
  end if;

  select * into v_job
  from public.video_jobs
  where job_id = p_job_id and user_id = p_user_id and deleted_at is null
  for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  -- A provider that has made the video has billed it: nothing is left to cancel, and the video is being delivered.
  if v_job.completed_at is not null or public.is_made(p_job_id) then
    return jsonb_build_object('outcome', 'final', 'status', v_job.status);
  end if;
  if p_is_begun and exists (
    select from public.provider_attempts where job_id = p_job_id and state in ('submitting', 'accepted', 'unknown')
  ) then
    v_state := public.rate_limit_state('refunded_cancels', p_user_id, null, p_limit_refunded, interval '1 hour');
    if not (v_state ->> 'allowed')::boolean then
      return jsonb_build_object('outcome', 'rate_limited') || v_state;
    end if;
    insert into public.rate_limit_log (action, user_id) values ('refunded_cancels', p_user_id);
  end if;
  perform public.fail_generation(p_job_id, 'ERR_5004');

  select jsonb_build_object(
    'success', true, 'refunded', v_job.credits_used, 'credits_remaining', u.credits_remaining
  )
  into v_response
  from public.users u
  where u.id = p_user_id;
  if p_idempotency_key is not null then
    perform public.store_response(
      p_user_id, p_idempotency_key, 'cancel_video_job', p_request_hash, v_response, p_job_id
    );
  end if;
  return jsonb_build_object('outcome', 'cancelled', 'status_code', 200, 'response', v_response);
end
$$;

insert into public.schema_history (name, hash) values ('procedures/generations/cancel_generation.sql', '9a7b2b03f36d821f514939d4c1fefafe3f9efd6e7aae7c36e944d3f7e3bb1786')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/limits/rate_limit_state.sql sha256:3a256d6e1d03c8a770d7da712cce50f4c5e89d11fa11f8098df92ef8865e9023
-- Returns how many slots of a window are left and, if it is full, when the next one becomes free, for a user or (with
-- `p_user_id` null) for an IP address. Counts rows that no user can delete. `p_limit` null: no limit.
-- One query for each kind of key, with the window's start in a variable and without `order by … limit`: otherwise PostgreSQL may
-- walk the whole log. A window holds few rows, because a row is only added while a slot is left.
create or replace function public.rate_limit_state(
  p_action text,
  p_user_id uuid,
  p_address inet,
  p_limit integer,
  p_window interval
) returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_start timestamptz := v_now - p_window;
  v_taken timestamptz[];
  v_count integer;
  v_oldest timestamptz;
begin
  if p_user_id is not null then
    select array_agg(created_at order by created_at desc) into v_taken
    from public.rate_limit_log
    where user_id = p_user_id and action = p_action and created_at > v_start;
  else
    select array_agg(created_at order by created_at desc) into v_taken
    from public.rate_limit_log
    where ip_address = p_address and action = p_action and created_at > v_start;
  end if;
  v_count := coalesce(cardinality(v_taken), 0);
  -- A slot becomes free when the oldest of the last `p_limit` rows leaves the window.
  v_oldest := v_taken[least(v_count, p_limit)];
  return jsonb_build_object(
    'limit', p_limit,
    'window_seconds', extract(epoch from p_window)::integer,
    'remaining', greatest(p_limit - v_count, 0),
    'reset_seconds', greatest(1, ceil(extract(epoch from coalesce(v_oldest, v_now) + p_window - v_now)))::integer,
    'allowed', v_count < p_limit
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/limits/rate_limit_state.sql', '3a256d6e1d03c8a770d7da712cce50f4c5e89d11fa11f8098df92ef8865e9023')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/maintenance/prune_logs.sql sha256:7919739767b46928243997ad93daa31bc0360bf4b2bd3c01c98ab2a06f258ead
-- Deletes up to `p_limit` rows of each log whose retention has passed, the oldest first; never a user, a job or a ledger row.
-- Returns how many, by kind; the caller repeats it until no kind reaches the limit, so that no statement runs for long.
-- @returns {
--   rate_limit_rows: number, idempotency_keys: number, events: number, sessions: number, errors: number,
--   provider_events: number
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
begin
  delete from public.rate_limit_log
  where id in (
    select id from public.rate_limit_log where created_at < now() - interval '7 days' order by created_at limit p_limit
  );
  get diagnostics v_rate_limit_rows = row_count;
  delete from public.idempotency_log
  where (user_id, idempotency_key) in (
    select user_id, idempotency_key from public.idempotency_log where expires_at < now() order by expires_at limit p_limit
  );
  get diagnostics v_keys = row_count;
  -- A stream resumes after the last event it sent; after a day the app reads the list again instead.
  delete from public.user_events
  where id in (
    select id from public.user_events where created_at < now() - interval '1 day' order by created_at limit p_limit
  );
  get diagnostics v_events = row_count;
  -- Kept for a month after the end, so that "session expired" and "no such session" remain two answers.
  delete from public.sessions
  where id in (
    select id from public.sessions where expires_at < now() - interval '30 days' order by expires_at limit p_limit
  );
  get diagnostics v_sessions = row_count;
  delete from public.error_log
  where id in (
    select id from public.error_log where created_at < now() - interval '90 days' order by created_at limit p_limit
  );
  get diagnostics v_errors = row_count;
  -- Vendors resend an event for hours at most.
  delete from public.provider_events
  where id in (
    select id from public.provider_events where created_at < now() - interval '30 days' order by created_at limit p_limit
  );
  get diagnostics v_provider_events = row_count;
  return jsonb_build_object(
    'rate_limit_rows', v_rate_limit_rows,
    'idempotency_keys', v_keys,
    'events', v_events,
    'sessions', v_sessions,
    'errors', v_errors,
    'provider_events', v_provider_events
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/maintenance/prune_logs.sql', '7919739767b46928243997ad93daa31bc0360bf4b2bd3c01c98ab2a06f258ead')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

-- source: procedures/previous_version.sql sha256:fec5d39cd61491d3a55c022e106d74fb52cf10d3f2ac970b3940fbd43efabe13
-- What servers of the previous version call while they run beside new ones. To be deleted with the next version.

create or replace function public.complete_initial_grant(p_user_id uuid, p_amount integer) returns integer
language sql
security definer
set search_path = ''
as $$
  select public.complete_initial_grant(p_user_id)
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
drop function if exists public.finish_generation(uuid, text, text, bigint, text, numeric);
drop function if exists public.stop_at_provider(uuid);
drop function if exists public.broken_invariants();
drop function if exists public.prune_logs();
drop function if exists public.cancel_generation(uuid, uuid, uuid, text);

insert into public.schema_history (name, hash) values ('procedures/previous_version.sql', 'fec5d39cd61491d3a55c022e106d74fb52cf10d3f2ac970b3940fbd43efabe13')
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

-- source: grants-hosted.sql sha256:8f110c05c1a2bd679cca6cb2cc0595a71f2484ca64bf7465e73ca3738d655c7d
-- For databases that Supabase hosts: access to media through its Storage, and what its Realtime sends. In other databases
-- these schemas do not exist, and this file does nothing.

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

  -- The first folder of a path is its owner's id. Policies are OR-ed; only the policies with these names are replaced.
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

insert into public.schema_history (name, hash) values ('grants-hosted.sql', '8f110c05c1a2bd679cca6cb2cc0595a71f2484ca64bf7465e73ca3738d655c7d')
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

-- source: grants.sql sha256:740bda10ccf3350d153578a640f65d764a28199b95e42cf36662805a2cbcd091
-- Privileges. Applied again after every change in db/, so that it also revokes what is no longer granted.
-- rendio_server: the API and the worker. anon, authenticated: users, through PostgREST and Realtime. service_role: nothing here;
-- named because hosted databases grant everything to it (and to the other two) by default.

revoke all on table
  public.users, public.user_bans, public.device_grants, public.sessions, public.refresh_tokens, public.models,
  public.video_jobs, public.job_counters, public.provider_attempts, public.quota_log, public.idempotency_log,
  public.user_events, public.rate_limit_log, public.error_log, public.admin_actions, public.schema_history,
  public.provider_events, public.provider_circuits, public.uploads, public.settings
from public, anon, authenticated, service_role, rendio_server;

revoke all on sequence
  public.video_jobs_seq_seq, public.quota_log_seq_seq, public.user_events_id_seq, public.rate_limit_log_id_seq,
  public.error_log_id_seq, public.admin_actions_id_seq, public.provider_events_id_seq
from public, anon, authenticated, service_role, rendio_server;

-- All our functions. Those that are not granted again below are called only by other procedures, such as add_credits and
-- deduct_credits, which move credits for any reason.
revoke all on function
  public.add_credits, public.admit_to_provider, public.apply_credits, public.begin_attempt, public.begin_generation,
  public.begin_upload, public.broken_invariants, public.cancel_generation, public.claim_initial_grant,
  public.cleanup_rate_limit_logs, public.close_attempt, public.complete_initial_grant(uuid),
  public.complete_initial_grant(uuid, integer), public.complete_previous_rows, public.confirm_attempt, public.count_jobs,
  public.current_user_id, public.deduct_credits, public.delete_generation, public.emit_event, public.end_attempt,
  public.enqueue, public.expire_uploads, public.fail_attempt, public.fail_generation, public.find_response,
  public.finish_generation, public.finish_upload, public.forget_upload, public.generation_price, public.guard_job_state,
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
  public.provider_events, public.provider_circuits, public.uploads, public.settings
to rendio_server;
grant execute on function
  public.begin_attempt, public.begin_generation, public.begin_upload, public.broken_invariants,
  public.cancel_generation, public.claim_initial_grant, public.close_attempt, public.complete_initial_grant(uuid),
  public.complete_initial_grant(uuid, integer), public.confirm_attempt, public.current_user_id,
  public.delete_generation, public.end_attempt, public.expire_uploads, public.fail_attempt, public.fail_generation,
  public.finish_generation, public.finish_upload, public.forget_upload, public.mark_submitted,
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

insert into public.schema_history (name, hash) values ('grants.sql', '740bda10ccf3350d153578a640f65d764a28199b95e42cf36662805a2cbcd091')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

reset check_function_bodies;

insert into public.schema_history (name, hash) values ('behaviour', '20261129000005')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
