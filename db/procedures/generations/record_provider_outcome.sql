-- Updates a provider's circuit breaker with the outcome of a job: `turned_away` (its submit was not accepted), `unanswered` (its
-- outcome is unknown: not a failure, but many in a row are an outage), `failed` (accepted, but the provider made no video),
-- `accepted`, `completed`. Declined requests are not reported here: they say nothing about the provider's health.
-- Five distinct failed jobs in a row, or ten unanswered ones, open the circuit: no job is charged for the provider, except
-- for one every 30 seconds, until one succeeds. Null: the circuit has not changed.
-- @returns 'opened' | 'closed' | null
create or replace function public.record_provider_outcome(p_provider text, p_job_id uuid, p_outcome text) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_circuit public.provider_circuits;
  v_opens boolean;
begin
  if p_job_id is null
    or p_outcome is null
    or p_outcome not in ('turned_away', 'unanswered', 'failed', 'accepted', 'completed')
  then
    raise exception 'a job cannot have gone %', p_outcome using errcode = 'invalid_parameter_value';
  end if;
  if p_outcome in ('turned_away', 'unanswered', 'failed') then
    insert into public.provider_circuits (provider) values (p_provider) on conflict do nothing;
  end if;
  select * into v_circuit from public.provider_circuits where provider = p_provider for update;
  if not found then
    return null;
  end if;

  if p_outcome = 'completed' or (p_outcome = 'accepted' and v_circuit.failing_at = 'submit') then
    update public.provider_circuits
    set state = 'closed', failed_jobs = '{}', unanswered_jobs = '{}', failing_at = null, opened_at = null, probe_at = null
    where provider = p_provider and failing_at is not null;
    return case when v_circuit.state = 'open' then 'closed' end;
  elsif p_outcome = 'accepted' then
    -- Jobs failed after they were accepted, so an accepted job proves nothing yet.
    return null;
  end if;

  if v_circuit.state = 'closed' then
    if p_outcome = 'unanswered' then
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
      failing_at = case p_outcome when 'failed' then 'job' else 'submit' end,
      state = case when v_opens then 'open' else state end,
      opened_at = case when v_opens then clock_timestamp() else opened_at end,
      probe_at = case when v_opens then clock_timestamp() + interval '30 seconds' else probe_at end
  where provider = p_provider;
  if v_opens then
    perform public.raise_alert('provider_circuit', p_provider);
  end if;
  return case when v_opens then 'opened' end;
end
$$;
