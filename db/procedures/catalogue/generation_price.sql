-- The price of one generation: flat, or per started `price_per_seconds` seconds.
create or replace function public.generation_price(p_model public.models, p_duration_seconds numeric) returns integer
language sql
immutable
set search_path = ''
as $$
  select case
    when p_model.price_per_seconds is null then p_model.cost_per_generation
    else ceil(p_duration_seconds / p_model.price_per_seconds)::integer * p_model.price_credits
  end
$$;
