-- The end of every change by an administrator, in the transaction that made it: its row of admin_actions, and the response under the
-- key, if one was sent. `p_target` says whom and what it concerned: {user_id, model_id, job_id, target, amount, details}, each
-- optional. Returns what the change returns.
-- @returns {outcome: 'done', status_code: number, response: Json}
create or replace function public.finish_admin_action(
  p_by jsonb,
  p_operation text,
  p_action_type text,
  p_reason text,
  p_target jsonb,
  p_response jsonb
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.admin_actions (
    admin_user_id, session_id, action_type, target_user_id, target_model_id, target_job_id, target, amount, reason, details
  )
  values (
    (p_by ->> 'admin_user_id')::uuid,
    (p_by ->> 'session_id')::uuid,
    p_action_type,
    (p_target ->> 'user_id')::uuid,
    (p_target ->> 'model_id')::uuid,
    (p_target ->> 'job_id')::uuid,
    p_target ->> 'target',
    (p_target ->> 'amount')::integer,
    p_reason,
    coalesce(p_target -> 'details', '{}')
  );
  return public.answer_admin_action(p_by, p_operation, p_response);
end
$$;
