-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: procedures/purchases/refund_purchase.sql

set check_function_bodies = off;

-- source: procedures/purchases/refund_purchase.sql sha256:28e7dec971a4be121c1bd3db8e6b33ef86dea9057952bde819548622f2ce09c5
-- Takes back what a store has refunded, or gives it back when the store has reversed its refund (`p_is_refund` = false). Of several
-- decisions about one transaction the newest (`p_decided_at`) counts, in whatever order they arrive. `p_percentage`: the refunded
-- share, in thousandths of a percent; null: all. `p_is_total`: it is the sum of what is refunded by now, so a smaller share than
-- before gives back the difference. A balance may become a debt. `not_credited`: nobody has been credited; after a refund nobody
-- will be.
-- @returns {outcome: 'taken_back' | 'given_back', user_id: string, credits: number, credits_remaining: number}
--   | {outcome: 'unchanged' | 'outdated' | 'not_credited'}
create or replace function public.refund_purchase(
  p_store text,
  p_environment text,
  p_transaction_id text,
  p_decided_at timestamptz,
  p_is_refund boolean,
  p_percentage integer default null,
  p_is_total boolean default false
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_owner_id uuid;
  v_purchase public.purchases;
  v_target integer;
  v_change integer;
  v_balance integer;
begin
  perform public.lock_transaction(p_store, p_transaction_id);
  -- The owner's row before the purchase's; a merge that was committed meanwhile has moved it.
  loop
    select user_id into v_owner_id from public.purchases where store = p_store and transaction_id = p_transaction_id;
    perform from public.users where id = v_owner_id for update;
    exit when not exists (
      select from public.purchases
      where store = p_store and transaction_id = p_transaction_id and user_id is distinct from v_owner_id
    );
  end loop;
  insert into public.purchases (store, environment, transaction_id)
  values (p_store, p_environment, p_transaction_id)
  on conflict (store, transaction_id) do nothing;
  select * into strict v_purchase
  from public.purchases
  where store = p_store and transaction_id = p_transaction_id
  for update;

  if v_purchase.refund_decided_at >= p_decided_at then
    return jsonb_build_object('outcome', 'outdated');
  end if;
  v_target := case
    when p_is_refund then floor(v_purchase.credits::numeric * least(greatest(coalesce(p_percentage, 100000), 0), 100000) / 100000)
    else 0
  end;
  v_change := v_purchase.taken_back - v_target;
  -- A further refund never gives back what an earlier one took.
  if p_is_refund and not p_is_total then
    v_change := least(v_change, 0);
  end if;
  update public.purchases
  set is_refunded = p_is_refund, refund_decided_at = p_decided_at, taken_back = taken_back - v_change
  where id = v_purchase.id;
  if v_purchase.user_id is null then
    return jsonb_build_object('outcome', 'not_credited');
  end if;
  if v_change = 0 then
    return jsonb_build_object('outcome', 'unchanged');
  end if;
  v_balance := public.apply_credits(
    v_purchase.user_id,
    v_change,
    case
      when p_store = 'apple' then case when v_change < 0 then 'apple_refund' else 'apple_refund_reversed' end
      else case when v_change < 0 then 'store_refund' else 'store_refund_reversed' end
    end,
    null,
    null,
    v_purchase.id
  );
  return jsonb_build_object(
    'outcome', case when v_change < 0 then 'taken_back' else 'given_back' end,
    'user_id', v_purchase.user_id,
    'credits', abs(v_change),
    'credits_remaining', v_balance
  );
end
$$;

insert into public.schema_history (name, hash) values ('procedures/purchases/refund_purchase.sql', '28e7dec971a4be121c1bd3db8e6b33ef86dea9057952bde819548622f2ce09c5')
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

-- source: grants.sql sha256:607b217f22ee2dd0cdb95d83f405a9f7d8a80e05b1d1c3a675375a9083ddd347
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
  public.codes, public.code_uses, public.credit_lots, public.lot_movements, public.money_checks, public.audit_progress
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
  public.create_code, public.redeem_code, public.schedule_store_notification, public.take_account_limit,
  public.take_from_lot, public.take_from_lots
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
  public.codes, public.code_uses, public.credit_lots, public.lot_movements, public.money_checks, public.audit_progress
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
  public.finish_store_notification, public.purchase_consumption, public.record_store_notification, public.redeem_code,
  public.refund_purchase, public.replay_store_notification, public.take_account_limit
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

insert into public.schema_history (name, hash) values ('grants.sql', '607b217f22ee2dd0cdb95d83f405a9f7d8a80e05b1d1c3a675375a9083ddd347')
on conflict (name) do update set hash = excluded.hash, applied_at = now();

reset check_function_bodies;

insert into public.schema_history (name, hash) values ('behaviour', '20261129000010')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
