-- A circuit breaker for each provider: after five distinct jobs in a row have failed for want of it, or ten in a row had no
-- answer, its models are not sold; every 30 seconds one job is let through, until one goes well.

-- Notes how a job fared: `refused` (its submit found nobody well), `unanswered` (nobody can tell whether it was taken, which
-- is no failure, though many of them are an outage), `failed` (taken, and no video for want of the provider), `accepted`,
-- `completed`. A request that was declined says nothing of the provider's health and is not noted.
-- Returns opened | closed | null where nothing has changed.
create or replace function public.note_provider_health(p_provider text, p_job_id uuid, p_fared text) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_circuit public.provider_circuits;
  v_opens boolean;
begin
  if p_job_id is null
    or p_fared is null
    or p_fared not in ('refused', 'unanswered', 'failed', 'accepted', 'completed')
  then
    raise exception 'nothing is noted of a job that fared %', p_fared using errcode = 'invalid_parameter_value';
  end if;
  if p_fared in ('refused', 'unanswered', 'failed') then
    insert into public.provider_circuits (provider) values (p_provider) on conflict do nothing;
  end if;
  select * into v_circuit from public.provider_circuits where provider = p_provider for update;
  if not found then
    return null;
  end if;

  if p_fared = 'completed' or (p_fared = 'accepted' and v_circuit.failing_at = 'submit') then
    update public.provider_circuits
    set state = 'closed', failed_jobs = '{}', unanswered_jobs = '{}', failing_at = null, opened_at = null, probe_at = null
    where provider = p_provider and failing_at is not null;
    return case when v_circuit.state = 'open' then 'closed' end;
  elsif p_fared = 'accepted' then
    -- Whether a video comes of it is not known yet, and that is what failed.
    return null;
  end if;

  if v_circuit.state = 'closed' then
    if p_fared = 'unanswered' then
      v_circuit.unanswered_jobs := array_remove(v_circuit.unanswered_jobs, p_job_id) || p_job_id;
    else
      v_circuit.failed_jobs := array_remove(v_circuit.failed_jobs, p_job_id) || p_job_id;
    end if;
  end if;
  v_opens := v_circuit.state = 'closed'
    and (cardinality(v_circuit.failed_jobs) >= 5 or cardinality(v_circuit.unanswered_jobs) >= 10);
  update public.provider_circuits
  set failed_jobs = v_circuit.failed_jobs,
      unanswered_jobs = v_circuit.unanswered_jobs,
      failing_at = case p_fared when 'failed' then 'job' else 'submit' end,
      state = case when v_opens then 'open' else state end,
      opened_at = case when v_opens then clock_timestamp() else opened_at end,
      probe_at = case when v_opens then clock_timestamp() + interval '30 seconds' else probe_at end
  where provider = p_provider;
  return case when v_opens then 'opened' end;
end
$$;

-- Whether a job may be sold on the provider now: 0, or the seconds until the next one may be tried. While the circuit is
-- open, whoever is told 0 has taken the one place there is for half a minute.
create or replace function public.admit_to_provider(p_provider text) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_seconds integer;
begin
  if not exists (select from public.provider_circuits where provider = p_provider and state = 'open') then
    return 0;
  end if;
  update public.provider_circuits
  set probe_at = clock_timestamp() + interval '30 seconds'
  where provider = p_provider and state = 'open' and probe_at <= clock_timestamp();
  if found then
    return 0;
  end if;
  -- It may have closed while we waited for the row.
  select greatest(1, ceil(extract(epoch from probe_at - clock_timestamp())))::integer into v_seconds
  from public.provider_circuits
  where provider = p_provider and state = 'open';
  return coalesce(v_seconds, 0);
end
$$;
