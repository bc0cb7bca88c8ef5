-- Changes a model: {name, description, price_credits, price_per_seconds, is_featured, settings_schema, thumbnail_url}, each optional.
-- Later generations cost the new price; those that were begun keep theirs. A `price_per_seconds` sells the model by the second from
-- then on. `no_duration`: its settings have no default duration, without which there is no price by the second.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found' | 'no_duration'}
create or replace function public.admin_update_model(p_by jsonb, p_model_id uuid, p_changes jsonb, p_reason text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_update_model');
  v_before public.models;
  v_after public.models;
  v_price integer;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  select * into v_before from public.models where id = p_model_id for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;

  v_after := v_before;
  v_after.name := coalesce(p_changes ->> 'name', v_before.name);
  v_after.description := coalesce(p_changes ->> 'description', v_before.description);
  v_after.is_featured := coalesce((p_changes ->> 'is_featured')::boolean, v_before.is_featured);
  v_after.settings_schema := coalesce(p_changes -> 'settings_schema', v_before.settings_schema);
  -- An empty text removes it.
  v_after.thumbnail_url := nullif(coalesce(p_changes ->> 'thumbnail_url', v_before.thumbnail_url), '');
  v_price := coalesce((p_changes ->> 'price_credits')::integer, v_before.price_credits, v_before.cost_per_generation);
  v_after.price_per_seconds := coalesce((p_changes ->> 'price_per_seconds')::integer, v_before.price_per_seconds);
  if v_after.price_per_seconds is null then
    v_after.cost_per_generation := v_price;
  elsif jsonb_typeof(v_after.settings_schema #> '{properties,duration,default}') is distinct from 'number' then
    return jsonb_build_object('outcome', 'no_duration');
  else
    v_after.price_credits := v_price;
  end if;
  if v_after is not distinct from v_before then
    return public.answer_admin_action(p_by, 'admin_update_model', public.model_of_admin(v_before));
  end if;

  -- A trigger computes cost_per_generation of what is sold by the second.
  update public.models
  set name = v_after.name,
      description = v_after.description,
      is_featured = v_after.is_featured,
      settings_schema = v_after.settings_schema,
      thumbnail_url = v_after.thumbnail_url,
      price_credits = v_after.price_credits,
      price_per_seconds = v_after.price_per_seconds,
      cost_per_generation = v_after.cost_per_generation
  where id = p_model_id
  returning * into v_after;
  return public.finish_admin_action(
    p_by, 'admin_update_model', 'model_update', p_reason,
    jsonb_build_object('model_id', p_model_id, 'details', public.changed_values(to_jsonb(v_before), to_jsonb(v_after))),
    public.model_of_admin(v_after)
  );
end
$$;
