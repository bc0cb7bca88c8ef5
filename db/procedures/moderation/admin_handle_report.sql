-- Marks a report as handled, by an administrator's decision.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found'}
create or replace function public.admin_handle_report(p_by jsonb, p_report_id uuid, p_reason text) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_handle_report');
  v_report public.reports;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  select * into v_report from public.reports where id = p_report_id for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  update public.reports set handled_at = clock_timestamp() where id = p_report_id and handled_at is null;
  return public.finish_admin_action(
    p_by, 'admin_handle_report', 'report_handle', p_reason,
    jsonb_build_object('user_id', v_report.user_id, 'job_id', v_report.job_id, 'target', p_report_id),
    jsonb_build_object('success', true)
  );
end
$$;
