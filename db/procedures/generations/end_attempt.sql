-- Stores, once, how the attempt ended that the provider had accepted: completed | failed | stopped.
create or replace function public.end_attempt(p_job_id uuid, p_result text, p_error text default null, p_cost_usd numeric default null)
returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.provider_attempts
  set result = p_result,
      result_error = left(p_error, 4000),
      -- An amount that cannot be the price of a video is not stored.
      vendor_cost_usd = case when p_cost_usd between 0 and 99999 then p_cost_usd end,
      ended_at = clock_timestamp()
  where job_id = p_job_id and state = 'accepted' and result is null;
  return found;
end
$$;
