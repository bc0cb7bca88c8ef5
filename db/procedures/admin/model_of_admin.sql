-- A model as administrators see it: also while it is not available.
create or replace function public.model_of_admin(p_model public.models) returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'id', p_model.id,
    'name', p_model.name,
    'category', p_model.category,
    'description', p_model.description,
    'cost_per_generation', p_model.cost_per_generation,
    'pricing', jsonb_build_object(
      'credits', coalesce(p_model.price_credits, p_model.cost_per_generation), 'per_seconds', p_model.price_per_seconds
    ),
    'provider', p_model.provider,
    'provider_model_id', p_model.provider_model_id,
    'is_featured', p_model.is_featured,
    'is_available', p_model.is_available,
    'requires_image', p_model.requires_image,
    'prompt_max', p_model.prompt_max,
    'thumbnail_url', p_model.thumbnail_url,
    'settings_schema', p_model.settings_schema,
    'created_at', public.iso_time(p_model.created_at),
    'updated_at', public.iso_time(p_model.updated_at)
  )
$$;
