-- Puts a model on offer or takes it off. What was begun with it goes on.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found'}
create or replace function public.admin_toggle_model(p_by jsonb, p_model_id uuid, p_is_available boolean, p_reason text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_toggle_model');
  v_model public.models;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  select * into v_model from public.models where id = p_model_id for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  if v_model.is_available = p_is_available then
    return public.answer_admin_action(p_by, 'admin_toggle_model', public.model_of_admin(v_model));
  end if;
  update public.models set is_available = p_is_available where id = p_model_id returning * into v_model;
  return public.finish_admin_action(
    p_by,
    'admin_toggle_model',
    case when p_is_available then 'model_enable' else 'model_disable' end,
    p_reason,
    jsonb_build_object('model_id', p_model_id),
    public.model_of_admin(v_model)
  );
end
$$;
