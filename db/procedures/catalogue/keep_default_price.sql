-- Keeps cost_per_generation equal to the price of the default settings, so that the price list always agrees with the charge.
create or replace function public.keep_default_price() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if new.price_per_seconds is not null then
    new.cost_per_generation := public.generation_price(
      new, (new.settings_schema #>> '{properties,duration,default}')::numeric
    );
  end if;
  new.updated_at := now();
  return new;
end
$$;

create or replace trigger models_keep_default_price
  before insert or update on public.models
  for each row execute function public.keep_default_price();
