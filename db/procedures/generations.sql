-- The life of a generation. Lock order: users, then video_jobs, then the rest (rate-limit addresses last).
-- Every procedure may be repeated and raced: states are compared before they are set, and final ones never change.

-- A second guard under the procedures' own comparisons: whoever updates a job, by whatever path, walks this path.
create or replace function public.guard_job_state() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if old.status = new.status
    or (old.status = 'pending' and new.status in ('processing', 'failed'))
    or (old.status = 'processing' and new.status in ('completed', 'failed'))
  then
    return new;
  end if;
  raise exception 'a generation cannot go from % to %', old.status, new.status using errcode = 'check_violation';
end
$$;

create or replace trigger video_jobs_guard_state
  before update of status on public.video_jobs
  for each row execute function public.guard_job_state();

create or replace function public.count_jobs() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if tg_op <> 'INSERT' and old.deleted_at is null then
    update public.job_counters
    set jobs = jobs - 1
    where user_id = old.user_id and status = old.status;
  end if;
  if tg_op <> 'DELETE' and new.deleted_at is null then
    insert into public.job_counters as c (user_id, status, jobs)
    values (new.user_id, new.status, 1)
    on conflict (user_id, status) do update set jobs = c.jobs + 1;
  end if;
  return null;
end
$$;

create or replace trigger video_jobs_count_changes
  after update of status, deleted_at, user_id on public.video_jobs
  for each row
  when (
    old.status is distinct from new.status
    or old.deleted_at is distinct from new.deleted_at
    or old.user_id is distinct from new.user_id
  )
  execute function public.count_jobs();

create or replace trigger video_jobs_count_rows
  after insert or delete on public.video_jobs
  for each row execute function public.count_jobs();

-- How many slots of a window are taken and, where it is full, when the next one comes free.
-- Null limit: no limit. Counts rows that no user can delete.
create or replace function public.rate_limit_state(
  p_action text,
  p_user_id uuid,
  p_address inet,
  p_limit integer,
  p_window interval
) returns jsonb
language sql
stable
security definer
set search_path = ''
as $$
  with taken as (
    select count(*)::integer as n, min(r.created_at) as oldest
    from (
      select created_at
      from public.rate_limit_log
      where action = p_action
        and (p_user_id is null or user_id = p_user_id)
        and (p_address is null or ip_address = p_address)
        and created_at > clock_timestamp() - p_window
      order by created_at desc
      limit p_limit
    ) r
  )
  select jsonb_build_object(
    'limit', p_limit,
    'window_seconds', extract(epoch from p_window)::integer,
    'remaining', greatest(p_limit - n, 0),
    'reset_seconds', greatest(1, ceil(extract(epoch from coalesce(oldest, clock_timestamp()) + p_window - clock_timestamp())))::integer,
    'allowed', n < p_limit
  )
  from taken
$$;

-- Takes one slot of an address's window, in a transaction of its own: for calls that have no account yet.
create or replace function public.take_rate_limit(p_action text, p_address inet, p_limit integer, p_window_seconds integer)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_state jsonb;
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(p_action || ' ' || p_address::text, 0));
  v_state := public.rate_limit_state(p_action, null, p_address, p_limit, make_interval(secs => p_window_seconds));
  if (v_state ->> 'allowed')::boolean then
    insert into public.rate_limit_log (action, ip_address) values (p_action, p_address);
    v_state := v_state || jsonb_build_object('remaining', (v_state ->> 'remaining')::integer - 1);
  end if;
  return v_state;
end
$$;

-- Charges for one generation and sets it going: replay, limits, price, charge, job, queue task, events and the
-- idempotency record are one transaction. Returns {outcome} = created | replayed | key_reused | user_not_found | banned |
-- model_unavailable | provider_unavailable {retry_seconds} | rate_limited {scope, …} |
-- insufficient_credits {required, available}.
create or replace function public.begin_generation(
  p_user_id uuid,
  p_idempotency_key uuid,
  p_request_hash text,
  p_model_id uuid,
  p_prompt text,
  p_settings jsonb,
  p_image_url text,
  p_address inet,
  p_limit_account integer,
  p_limit_address integer,
  p_limit_in_flight integer,
  p_deadline_seconds integer
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
  v_model public.models;
  v_logged public.idempotency_log;
  v_account_state jsonb;
  v_address_state jsonb;
  v_price integer;
  v_retry_seconds integer;
  v_job_id uuid := gen_random_uuid();
  v_charge jsonb;
  v_response jsonb;
begin
  select * into v_user from public.users where id = p_user_id and deleted_at is null for update;
  if not found then
    return jsonb_build_object('outcome', 'user_not_found');
  end if;
  if exists (select from public.user_bans where user_id = p_user_id) then
    return jsonb_build_object('outcome', 'banned');
  end if;

  -- Under the user's lock: of two racing calls with one key, the second waits here and then finds the first's answer.
  select * into v_logged
  from public.idempotency_log
  where user_id = p_user_id and idempotency_key = p_idempotency_key and expires_at > clock_timestamp();
  if found then
    if v_logged.request_hash <> p_request_hash or v_logged.operation_type <> 'generate_video' then
      return jsonb_build_object('outcome', 'key_reused');
    end if;
    return jsonb_build_object(
      'outcome', 'replayed', 'status_code', v_logged.status_code, 'response', v_logged.response_data
    );
  end if;

  select * into v_model from public.models where id = p_model_id and is_available;
  if not found then
    return jsonb_build_object('outcome', 'model_unavailable');
  end if;

  if (
    select coalesce(sum(jobs), 0)
    from public.job_counters
    where user_id = p_user_id and status in ('pending', 'processing')
  ) >= p_limit_in_flight then
    return jsonb_build_object('outcome', 'rate_limited', 'scope', 'in_flight', 'limit', p_limit_in_flight);
  end if;

  v_account_state := public.rate_limit_state('generations', p_user_id, null, p_limit_account, interval '1 hour');
  if not (v_account_state ->> 'allowed')::boolean then
    return jsonb_build_object('outcome', 'rate_limited', 'scope', 'account') || v_account_state;
  end if;

  if p_address is not null then
    perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('generations ' || p_address::text, 0));
    v_address_state := public.rate_limit_state('generations', null, p_address, p_limit_address, interval '1 hour');
    if not (v_address_state ->> 'allowed')::boolean then
      return jsonb_build_object('outcome', 'rate_limited', 'scope', 'address') || v_address_state;
    end if;
  end if;

  v_price := public.generation_price(v_model, (p_settings ->> 'duration')::numeric);
  if v_price is null then
    raise exception 'no price without a duration' using errcode = 'invalid_parameter_value';
  end if;
  -- Whoever cannot pay takes no place of a provider that is tried one job at a time.
  if v_user.credits_remaining >= v_price then
    v_retry_seconds := public.admit_to_provider(v_model.provider);
    if v_retry_seconds > 0 then
      return jsonb_build_object('outcome', 'provider_unavailable', 'retry_seconds', v_retry_seconds);
    end if;
  end if;
  v_charge := public.deduct_credits(p_user_id, v_price, 'video_generation', v_job_id);
  if not (v_charge ->> 'success')::boolean then
    return jsonb_build_object(
      'outcome', 'insufficient_credits', 'required', v_price, 'available', v_user.credits_remaining
    );
  end if;

  insert into public.video_jobs (
    job_id, user_id, model_id, model_name, provider, provider_model_id, prompt, settings, image_url, credits_used,
    deadline_at
  )
  values (
    v_job_id, p_user_id, v_model.id, v_model.name, v_model.provider, v_model.provider_model_id, p_prompt, p_settings,
    p_image_url, v_price, clock_timestamp() + make_interval(secs => p_deadline_seconds)
  );

  v_response := jsonb_build_object('job_id', v_job_id, 'status', 'pending', 'credits_used', v_price);
  -- An expired key may be used again; a live one was found above, and the primary key stands behind both.
  delete from public.idempotency_log
  where user_id = p_user_id and idempotency_key = p_idempotency_key and expires_at <= clock_timestamp();
  insert into public.idempotency_log (
    user_id, idempotency_key, job_id, operation_type, request_hash, response_data, status_code
  )
  values (p_user_id, p_idempotency_key, v_job_id, 'generate_video', p_request_hash, v_response, 200);

  insert into public.rate_limit_log (action, user_id, ip_address) values ('generations', p_user_id, p_address);
  perform public.emit_event(p_user_id, 'queued', v_job_id, '{}');
  perform graphile_worker.add_job(
    'submit_generation',
    json_build_object('job_id', v_job_id),
    max_attempts := 1000,
    job_key := 'submit:' || v_job_id
  );

  return jsonb_build_object(
    'outcome', 'created',
    'status_code', 200,
    'response', v_response,
    'limit', p_limit_account,
    'remaining', (v_account_state ->> 'remaining')::integer - 1,
    'reset_seconds', (v_account_state ->> 'reset_seconds')::integer
  );
end
$$;

-- Locks a job behind its user, in the house's order, whatever the caller knows of it.
create or replace function public.lock_job(p_job_id uuid) returns public.video_jobs
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid;
  v_job public.video_jobs;
begin
  loop
    select user_id into v_user_id from public.video_jobs where job_id = p_job_id;
    if not found then
      return null;
    end if;
    perform from public.users where id = v_user_id for update;
    select * into v_job from public.video_jobs where job_id = p_job_id for update;
    -- A merge may have moved the job to another account while we waited.
    exit when v_job.user_id = v_user_id;
  end loop;
  return v_job;
end
$$;

-- Claims the right to hand a job to its provider. Returns {outcome} = claimed (nothing was sent before) | resumed (a
-- worker died on this attempt, bytes may have left), both with attempt_id and attempt, its number from 1 | unknown |
-- rejected (only where a server from before fail_attempt died) | submitted | final | not_found.
create or replace function public.begin_attempt(p_job_id uuid) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs := public.lock_job(p_job_id);
  v_attempt public.provider_attempts;
begin
  if v_job.job_id is null then
    return jsonb_build_object('outcome', 'not_found');
  elsif v_job.completed_at is not null then
    return jsonb_build_object('outcome', 'final');
  elsif v_job.status = 'processing' then
    return jsonb_build_object('outcome', 'submitted');
  end if;

  select * into v_attempt
  from public.provider_attempts
  where job_id = p_job_id
  order by attempt desc
  limit 1
  for update;
  if v_attempt.state = 'submitting' then
    return jsonb_build_object('outcome', 'resumed', 'attempt_id', v_attempt.id, 'attempt', v_attempt.attempt);
  elsif v_attempt.state in ('unknown', 'rejected') then
    return jsonb_build_object('outcome', v_attempt.state);
  end if;

  insert into public.provider_attempts (job_id, attempt, provider, provider_model_id)
  values (p_job_id, coalesce(v_attempt.attempt, 0) + 1, v_job.provider, v_job.provider_model_id)
  returning * into v_attempt;
  return jsonb_build_object('outcome', 'claimed', 'attempt_id', v_attempt.id, 'attempt', v_attempt.attempt);
end
$$;

-- Closes an attempt that was not accepted and after which the job goes on: refused | unknown. Closed ones stay as they are.
create or replace function public.close_attempt(p_attempt_id uuid, p_state text, p_error text) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  if p_state is null or p_state not in ('refused', 'unknown') then
    raise exception 'an attempt is not closed as %', p_state using errcode = 'invalid_parameter_value';
  end if;
  update public.provider_attempts
  set state = p_state, error = left(p_error, 4000), closed_at = clock_timestamp()
  where id = p_attempt_id and state = 'submitting';
  return found;
end
$$;

-- Closes an attempt that was not accepted and fails its job with it, as fail_generation does: `refused` for the last time,
-- or `rejected`. Together, so that no crash comes between the two and leaves a job without the reason that it failed for.
-- Returns {outcome} = failed | final (the job had ended before) | closed (the attempt had: the job goes on as it does).
create or replace function public.fail_attempt(
  p_attempt_id uuid,
  p_state text,
  p_error_code text,
  p_cause text,
  p_reason text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs;
begin
  if p_state is null or p_state not in ('refused', 'rejected') then
    raise exception 'no job fails by an attempt that is %', p_state using errcode = 'invalid_parameter_value';
  end if;
  v_job := public.lock_job((select job_id from public.provider_attempts where id = p_attempt_id));
  update public.provider_attempts
  set state = p_state, error = left(p_cause, 4000), closed_at = clock_timestamp()
  where id = p_attempt_id and state = 'submitting';
  if not found then
    return jsonb_build_object('outcome', 'closed');
  end if;
  return jsonb_build_object(
    'outcome',
    case when public.fail_generation(v_job.job_id, p_error_code, p_cause, p_reason) then 'failed' else 'final' end
  );
end
$$;

-- The provider has the job: pending → processing, under the provider's id. Also from an attempt whose outcome was unknown.
-- Returns {outcome} = submitted | already | superseded (an event has brought another id for it) | final |
-- taken (another job of ours has that id) | not_found.
create or replace function public.mark_submitted(
  p_job_id uuid,
  p_attempt_id uuid,
  p_provider_job_id text,
  p_vendor_request_id text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs := public.lock_job(p_job_id);
begin
  if v_job.job_id is null then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  -- Seen through the attempts, which remember the ids of jobs that had ended before they were known to be taken.
  if exists (
    select from public.provider_attempts
    where provider = v_job.provider and provider_job_id = p_provider_job_id and job_id <> p_job_id
  ) then
    return jsonb_build_object('outcome', 'taken');
  end if;

  update public.provider_attempts
  set state = 'accepted',
      provider_job_id = p_provider_job_id,
      vendor_request_id = p_vendor_request_id,
      closed_at = clock_timestamp()
  where id = p_attempt_id and job_id = p_job_id and state in ('submitting', 'unknown');

  if v_job.completed_at is not null then
    -- Nobody waits for this video any more. The provider hears of it by a task, which a crash of the caller cannot lose.
    if v_job.status = 'failed' and v_job.provider_job_id is null then
      update public.video_jobs set provider_job_id = p_provider_job_id where job_id = p_job_id;
      perform public.stop_at_provider(p_job_id);
    end if;
    return jsonb_build_object('outcome', 'final');
  elsif v_job.status = 'processing' then
    return jsonb_build_object(
      'outcome', case when v_job.provider_job_id = p_provider_job_id then 'already' else 'superseded' end
    );
  end if;

  update public.video_jobs
  set status = 'processing', provider_job_id = p_provider_job_id, submitted_at = clock_timestamp()
  where job_id = p_job_id and status = 'pending';
  perform public.emit_event(
    v_job.user_id, 'processing', p_job_id, jsonb_build_object('progress', null, 'queue_position', null)
  );
  perform graphile_worker.add_job(
    'settle_generation',
    json_build_object('job_id', p_job_id),
    max_attempts := 1000,
    job_key := 'settle:' || p_job_id
  );
  return jsonb_build_object('outcome', 'submitted');
end
$$;

-- Hands the job to its provider again after a while: it has turned the last attempt away, or may not have heard of it.
-- The last thing that a submit does, so that two of one job never run side by side.
create or replace function public.schedule_submit(p_job_id uuid, p_delay_ms integer) returns void
language sql
security definer
set search_path = ''
as $$
  select graphile_worker.add_job(
    'submit_generation',
    json_build_object('job_id', p_job_id),
    run_at := clock_timestamp() + make_interval(secs => greatest(p_delay_ms, 0) / 1000.0),
    max_attempts := 1000,
    job_key := 'submit:' || p_job_id
  )
$$;

-- Asks the provider again after a while: for those that are asked minutes long, with seconds between the questions. A
-- question that is due sooner stays so: an event may have come while the provider was being asked.
create or replace function public.schedule_settle(p_job_id uuid, p_delay_ms integer) returns void
language sql
security definer
set search_path = ''
as $$
  select graphile_worker.add_job(
    'settle_generation',
    json_build_object('job_id', p_job_id),
    run_at := due.at,
    max_attempts := 1000,
    job_key := 'settle:' || p_job_id
  )
  from (
    select clock_timestamp() + make_interval(secs => greatest(p_delay_ms, 0) / 1000.0) as at
  ) as due
  where not exists (
    select from graphile_worker.jobs q
    where q.key = 'settle:' || p_job_id and q.locked_at is null and q.attempts = 0 and q.run_at <= due.at
  )
$$;

-- What the provider says of a running job; an event only where it is news. Progress never runs backwards.
create or replace function public.record_progress(p_job_id uuid, p_progress integer, p_queue_position integer)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs := public.lock_job(p_job_id);
  v_progress integer := least(greatest(p_progress, v_job.progress, 0), 100);
begin
  if v_job.status is distinct from 'processing' then
    return false;
  end if;
  if p_progress is null then
    v_progress := v_job.progress;
  end if;
  if v_progress is not distinct from v_job.progress and p_queue_position is not distinct from v_job.queue_position then
    return true;
  end if;
  update public.video_jobs
  set progress = v_progress, queue_position = p_queue_position
  where job_id = p_job_id;
  perform public.emit_event(
    v_job.user_id,
    'processing',
    p_job_id,
    jsonb_build_object('progress', v_progress, 'queue_position', p_queue_position)
  );
  return true;
end
$$;

-- processing → completed, once. False where the job is final already: the caller then removes the file it stored.
create or replace function public.finish_generation(
  p_job_id uuid,
  p_video_path text,
  p_thumbnail_path text,
  p_video_bytes bigint,
  p_video_sha256 text,
  p_video_seconds numeric
) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs := public.lock_job(p_job_id);
begin
  if v_job.status is distinct from 'processing' then
    return false;
  end if;
  update public.video_jobs
  set status = 'completed',
      progress = 100,
      queue_position = null,
      video_url = p_video_path,
      thumbnail_url = p_thumbnail_path,
      video_bytes = p_video_bytes,
      video_sha256 = p_video_sha256,
      video_seconds = p_video_seconds,
      completed_at = clock_timestamp()
  where job_id = p_job_id and status = 'processing';
  perform public.emit_event(v_job.user_id, 'completed', p_job_id, '{}');
  return true;
end
$$;

-- pending | processing → failed, with the charge given back, once. False where the job is final already.
-- `p_reason`: which of the code's sentences the owner is told; the cause is for our log alone.
create or replace function public.fail_generation(
  p_job_id uuid,
  p_error_code text,
  p_cause text default null,
  p_reason text default null
) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs := public.lock_job(p_job_id);
begin
  if v_job.job_id is null or v_job.status not in ('pending', 'processing') then
    return false;
  end if;
  update public.video_jobs
  set status = 'failed',
      error_code = p_error_code,
      error_reason = p_reason,
      queue_position = null,
      completed_at = clock_timestamp()
  where job_id = p_job_id and status in ('pending', 'processing');

  -- The refund equals the charge, because it is read from it; a unique index allows one for each job.
  perform public.apply_credits(v_job.user_id, -q.change, 'generation_failed_refund', p_job_id, null)
  from public.quota_log q
  where q.job_id = p_job_id and q.reason = 'video_generation';

  perform public.emit_event(
    v_job.user_id,
    'failed',
    p_job_id,
    jsonb_strip_nulls(
      jsonb_build_object('error_code', p_error_code, 'reason', p_reason, 'refunded', v_job.credits_used)
    )
  );
  if p_error_code <> 'ERR_5004' then
    perform public.log_error(
      v_job.user_id,
      p_error_code,
      'generation',
      jsonb_build_object('job_id', p_job_id, 'provider', v_job.provider),
      jsonb_build_object('cause', p_cause)
    );
  end if;
  perform public.stop_at_provider(p_job_id);
  return true;
end
$$;

-- Has the worker clear up after a job that has ended, after a while: too many have something to tell its provider just now.
create or replace function public.schedule_stop(p_job_id uuid, p_delay_ms integer) returns void
language sql
security definer
set search_path = ''
as $$
  select graphile_worker.add_job(
    'stop_generation',
    json_build_object('job_id', p_job_id),
    run_at := clock_timestamp() + make_interval(secs => greatest(p_delay_ms, 0) / 1000.0),
    max_attempts := 25,
    job_key := 'stop:' || p_job_id
  )
$$;

-- Has the worker tell the provider to stop, and clear what was stored on the way.
create or replace function public.stop_at_provider(p_job_id uuid) returns void
language sql
security definer
set search_path = ''
as $$
  select public.schedule_stop(p_job_id, 0)
$$;

-- The user stops a generation and has the credits back. With a key, a repeat gets the first answer.
-- Returns {outcome} = cancelled | replayed | key_reused | final {status}, also where its video is made | not_found.
create or replace function public.cancel_generation(
  p_user_id uuid,
  p_job_id uuid,
  p_idempotency_key uuid default null,
  p_request_hash text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs;
  v_logged public.idempotency_log;
  v_response jsonb;
begin
  perform from public.users where id = p_user_id for update;
  select * into v_logged
  from public.idempotency_log
  where user_id = p_user_id and idempotency_key = p_idempotency_key and expires_at > clock_timestamp();
  if found then
    if v_logged.request_hash <> p_request_hash or v_logged.operation_type <> 'cancel_video_job' then
      return jsonb_build_object('outcome', 'key_reused');
    end if;
    return jsonb_build_object(
      'outcome', 'replayed', 'status_code', v_logged.status_code, 'response', v_logged.response_data
    );
  end if;

  select * into v_job
  from public.video_jobs
  where job_id = p_job_id and user_id = p_user_id and deleted_at is null
  for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  -- A provider that has made the video has its money: there is nothing left to stop, and the video is on its way here.
  if exists (
    select from public.provider_attempts where job_id = p_job_id and state = 'accepted' and result = 'completed'
  ) or not public.fail_generation(p_job_id, 'ERR_5004') then
    return jsonb_build_object('outcome', 'final', 'status', v_job.status);
  end if;

  select jsonb_build_object(
    'success', true, 'refunded', v_job.credits_used, 'credits_remaining', u.credits_remaining
  )
  into v_response
  from public.users u
  where u.id = p_user_id;
  if p_idempotency_key is not null then
    delete from public.idempotency_log
    where user_id = p_user_id and idempotency_key = p_idempotency_key and expires_at <= clock_timestamp();
    insert into public.idempotency_log (
      user_id, idempotency_key, job_id, operation_type, request_hash, response_data, status_code
    )
    values (p_user_id, p_idempotency_key, p_job_id, 'cancel_video_job', p_request_hash, v_response, 200);
  end if;
  return jsonb_build_object('outcome', 'cancelled', 'status_code', 200, 'response', v_response);
end
$$;

-- Takes a finished job out of the user's sight; its files go with it. Repeating it is a success.
-- Returns deleted | running | not_found.
create or replace function public.delete_generation(p_user_id uuid, p_job_id uuid) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job public.video_jobs;
begin
  perform from public.users where id = p_user_id for update;
  select * into v_job from public.video_jobs where job_id = p_job_id and user_id = p_user_id for update;
  if not found then
    return 'not_found';
  elsif v_job.completed_at is null then
    return 'running';
  elsif v_job.deleted_at is null then
    update public.video_jobs set deleted_at = clock_timestamp() where job_id = p_job_id;
    perform public.stop_at_provider(p_job_id);
  end if;
  return 'deleted';
end
$$;

-- Gives every unfinished job without a queue task its task back. A backstop: tasks are added with the state they serve.
create or replace function public.requeue_orphans(p_limit integer default 100) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_job record;
  v_count integer := 0;
begin
  for v_job in
    select j.job_id, case j.status when 'pending' then 'submit' else 'settle' end as task
    from public.video_jobs j
    where j.status in ('pending', 'processing')
      and j.deadline_at > clock_timestamp()
      and j.created_at < clock_timestamp() - interval '30 seconds'
      and not exists (
        select from graphile_worker.jobs q where q.key in ('submit:' || j.job_id, 'settle:' || j.job_id)
      )
      -- Nobody can tell whether the provider has this one: it waits for news or for its deadline.
      and not exists (
        select from public.provider_attempts a where a.job_id = j.job_id and a.state = 'unknown'
      )
    limit p_limit
  loop
    perform graphile_worker.add_job(
      v_job.task || '_generation',
      json_build_object('job_id', v_job.job_id),
      max_attempts := 1000,
      job_key := v_job.task || ':' || v_job.job_id
    );
    v_count := v_count + 1;
  end loop;
  -- The queue waits longer after each failure, up to hours; a paid generation has no such time.
  perform graphile_worker.reschedule_jobs(array_agg(q.id), run_at := clock_timestamp(), attempts := 0)
  from graphile_worker.jobs q
  where q.task_identifier in ('submit_generation', 'settle_generation')
    and q.locked_at is null
    and q.attempts > 2
    and q.run_at > clock_timestamp() + interval '15 seconds'
  having count(*) > 0;
  return v_count;
end
$$;
