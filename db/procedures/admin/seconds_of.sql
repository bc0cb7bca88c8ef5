-- How long videos took: half of them at most p50 seconds, 95 of a hundred at most p95. `p_durations`: {tenths of a second: jobs}.
create or replace function public.seconds_of(p_durations jsonb) returns jsonb
language sql
immutable
set search_path = ''
as $$
  select jsonb_build_object(
    'p50', min(c.tenths) filter (where c.up_to >= ceil(0.5 * c.total)) / 10.0,
    'p95', min(c.tenths) filter (where c.up_to >= ceil(0.95 * c.total)) / 10.0
  )
  from (
    select
      d.key::integer as tenths,
      sum(d.value::numeric) over (order by d.key::integer) as up_to,
      sum(d.value::numeric) over () as total
    from jsonb_each_text(p_durations) d
  ) c
$$;
