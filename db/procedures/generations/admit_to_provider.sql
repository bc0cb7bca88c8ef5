-- Whether a job for the provider may be charged now: 0, or the seconds until the next try. While the circuit is open there is one
-- try every 30 seconds, and the caller that gets 0 has used it.
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
  -- The circuit may have closed while this call waited for the row.
  select greatest(1, ceil(extract(epoch from probe_at - clock_timestamp())))::integer into v_seconds
  from public.provider_circuits
  where provider = p_provider and state = 'open';
  return coalesce(v_seconds, 0);
end
$$;
