-- Removes up to `p_limit` rows of each kind that still say something about the person of a deleted account: prompts, events, IP
-- addresses. Ledger rows stay: they name an account without a person. Returns how many rows were changed; the caller
-- repeats it until none is. The files of videos are deleted by the clean-up of each job.
create or replace function public.erase_account(p_user_id uuid, p_limit integer default 500) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_ids uuid[];
  v_jobs uuid[];
  v_count integer;
  v_sum integer := 0;
begin
  perform from public.users where id = p_user_id and deleted_at is not null for update;
  if not found or exists (select from public.merged_users where user_id = p_user_id) then
    return 0;
  end if;
  -- Guests that were merged into it too: a call that waited for the merge may have left something with the old id.
  v_ids := public.ids_of_account(p_user_id);
  select array_agg(job_id) into v_jobs
  from (
    -- Each half has an index of its own.
    (select job_id from public.video_jobs where user_id = p_user_id and deleted_at is null limit p_limit)
    union all
    (
      select job_id
      from public.video_jobs
      where user_id = p_user_id and deleted_at is not null and prompt <> '[deleted]'
      limit p_limit
    )
  ) found;
  update public.video_jobs
  set prompt = '[deleted]',
      image_url = null,
      error_message = null,
      -- A client may choose it.
      request_id = null,
      deleted_at = coalesce(deleted_at, clock_timestamp())
  where job_id = any (v_jobs);
  get diagnostics v_sum = row_count;
  -- A vendor's message may quote the prompt.
  update public.provider_attempts
  set error = null, result_error = null
  where job_id = any (v_jobs) and (error is not null or result_error is not null);
  delete from public.shares where job_id = any (v_jobs);
  perform public.schedule_cleanup(job_id) from unnest(v_jobs) as job_id;

  delete from public.user_events where id in (select id from public.user_events where user_id = any (v_ids) limit p_limit);
  get diagnostics v_count = row_count;
  v_sum := v_sum + v_count;
  delete from public.idempotency_log
  where (user_id, idempotency_key) in (
    select user_id, idempotency_key from public.idempotency_log where user_id = any (v_ids) limit p_limit
  );
  get diagnostics v_count = row_count;
  v_sum := v_sum + v_count;
  -- What counts for an IP address goes on counting.
  update public.rate_limit_log
  set user_id = null
  where id in (select id from public.rate_limit_log where user_id = any (v_ids) limit p_limit);
  get diagnostics v_count = row_count;
  v_sum := v_sum + v_count;
  update public.error_log
  set user_id = null, request_data = null, error_details = null
  where id in (select id from public.error_log where user_id = any (v_ids) limit p_limit);
  get diagnostics v_count = row_count;
  v_sum := v_sum + v_count;
  -- What the person has written. That a video was reported stays.
  update public.reports
  set reason = '[deleted]'
  where id in (
    select id
    from public.reports
    where reporter_user_id = any (v_ids) and reason <> '[deleted]'
    order by id
    limit p_limit
    for update
  );
  get diagnostics v_count = row_count;
  v_sum := v_sum + v_count;
  -- They name the account, and the purchases stay.
  update public.store_notifications
  set payload = null
  where (store, notification_id) in (
    select n.store, n.notification_id
    from public.purchases p
    join public.store_notifications n on n.transaction_id = p.transaction_id and n.store = p.store
    where p.user_id = p_user_id and n.payload is not null and n.processed_at is not null
    limit p_limit
  );
  get diagnostics v_count = row_count;
  v_sum := v_sum + v_count;
  delete from public.proven_devices where user_id = any (v_ids);
  delete from public.push_tokens where user_id = any (v_ids);
  delete from public.pushes where id in (select id from public.pushes where user_id = any (v_ids) limit p_limit);
  get diagnostics v_count = row_count;
  v_sum := v_sum + v_count;
  return v_sum;
end
$$;
