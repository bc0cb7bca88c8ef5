-- A product as administrators see it: also while it is not on sale.
create or replace function public.product_of_admin(p_product public.products) returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'product_id', p_product.product_id,
    'display_name', p_product.display_name,
    'credits', p_product.credits,
    'bonus_credits', p_product.bonus_credits,
    'web_price_cents', p_product.web_price_cents,
    'web_currency', p_product.web_currency,
    'is_active', p_product.is_active,
    'created_at', public.iso_time(p_product.created_at),
    'updated_at', public.iso_time(p_product.updated_at)
  )
$$;
