-- Stops the sale of generations, or goes on with it. What was paid for is finished, and purchases are credited. The charge of a call that
-- began before this may still be committed.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused'}
create or replace function public.admin_pause(p_by jsonb, p_is_paused boolean, p_reason text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_pause');
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  update public.settings
  set is_paused = p_is_paused, updated_at = clock_timestamp()
  where is_paused <> p_is_paused;
  return public.finish_admin_action(
    p_by, 'admin_pause', case when p_is_paused then 'pause' else 'resume' end, p_reason,
    jsonb_build_object('target', 'paid work'),
    jsonb_build_object('success', true)
  );
end
$$;
