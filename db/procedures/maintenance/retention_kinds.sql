-- The kinds of rows that upkeep removes, in the order in which it does.
-- @returns string[]
create or replace function public.retention_kinds() returns jsonb
language sql
immutable
security definer
set search_path = ''
as $$
  select jsonb_agg(kind order by place)
  from public.retentions() with ordinality as r (kind, table_name, age_column, keep, condition, change, place)
$$;
