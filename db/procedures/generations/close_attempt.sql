-- Closes an attempt that was not accepted, as `retryable` or `unknown`; the job goes on. False: it was already closed, and does
-- not change.
create or replace function public.close_attempt(p_attempt_id uuid, p_state text, p_error text) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
  -- The previous version sends `refused`.
  v_state text := case p_state when 'refused' then 'retryable' else p_state end;
begin
  if v_state is null or v_state not in ('retryable', 'unknown') then
    raise exception 'an attempt cannot be closed as %', p_state using errcode = 'invalid_parameter_value';
  end if;
  update public.provider_attempts
  set state = v_state, error = left(p_error, 4000), closed_at = clock_timestamp()
  where id = p_attempt_id and state = 'submitting';
  return found;
end
$$;
