-- The provider, asked with our key, has the job under this id: accepts the attempt whose outcome was unknown.
-- `none`: no such attempt is open.
-- @returns {outcome: 'none' | 'submitted' | 'already' | 'superseded' | 'final' | 'taken' | 'not_found'}
create or replace function public.confirm_attempt(p_job_id uuid, p_provider_job_id text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_attempt_id uuid;
begin
  perform public.lock_job(p_job_id);
  select id into v_attempt_id
  from public.provider_attempts
  where job_id = p_job_id and state in ('submitting', 'unknown');
  if not found then
    return jsonb_build_object('outcome', 'none');
  end if;
  return public.mark_submitted(p_job_id, v_attempt_id, p_provider_job_id, p_provider_job_id);
end
$$;
