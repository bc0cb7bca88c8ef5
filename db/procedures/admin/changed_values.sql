-- What differs between two versions of a row, for the record of a change: {column: {from, to}}. Columns that follow the clock do
-- not count. Empty: nothing differs.
create or replace function public.changed_values(p_before jsonb, p_after jsonb) returns jsonb
language sql
immutable
set search_path = ''
as $$
  select coalesce(jsonb_object_agg(a.key, jsonb_build_object('from', b.value, 'to', a.value)), '{}')
  from jsonb_each(p_after) a
  join jsonb_each(p_before) b on b.key = a.key
  where a.value <> b.value and a.key <> 'updated_at'
$$;
