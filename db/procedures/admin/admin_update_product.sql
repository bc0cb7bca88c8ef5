-- Changes a product: {credits, display_name, is_active}, each optional. Purchases that are credited from then on give the new number;
-- those that were credited stay.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'not_found'}
create or replace function public.admin_update_product(p_by jsonb, p_product_id text, p_changes jsonb, p_reason text)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_update_product');
  v_before public.products;
  v_after public.products;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  select * into v_before from public.products where product_id = p_product_id for update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  v_after := v_before;
  v_after.credits := coalesce((p_changes ->> 'credits')::integer, v_before.credits);
  v_after.display_name := coalesce(p_changes ->> 'display_name', v_before.display_name);
  v_after.is_active := coalesce((p_changes ->> 'is_active')::boolean, v_before.is_active);
  if v_after is not distinct from v_before then
    return public.answer_admin_action(p_by, 'admin_update_product', public.product_of_admin(v_before));
  end if;
  update public.products
  set credits = v_after.credits,
      display_name = v_after.display_name,
      is_active = v_after.is_active,
      updated_at = clock_timestamp()
  where product_id = p_product_id
  returning * into v_after;
  return public.finish_admin_action(
    p_by, 'admin_update_product', 'product_update', p_reason,
    jsonb_build_object('target', p_product_id, 'details', public.changed_values(to_jsonb(v_before), to_jsonb(v_after))),
    public.product_of_admin(v_after)
  );
end
$$;
