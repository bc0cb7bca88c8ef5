-- How long videos took, by day, from these durations: half of them at most p50 seconds, and 95 of a hundred at most p95.
create or replace function public.seconds_of_days(p_durations jsonb)
returns table (day date, p50 numeric, p95 numeric)
language sql
immutable
set search_path = ''
as $$
  select
    c.day,
    min(c.tenths) filter (where c.up_to >= ceil(0.5 * c.total)) / 10.0,
    min(c.tenths) filter (where c.up_to >= ceil(0.95 * c.total)) / 10.0
  from (
    select
      d.day, d.tenths,
      sum(sum(d.jobs)) over (partition by d.day order by d.tenths) as up_to,
      sum(sum(d.jobs)) over (partition by d.day) as total
    from jsonb_to_recordset(p_durations) as d (day date, tenths integer, jobs numeric)
    group by d.day, d.tenths
  ) c
  group by c.day
$$;
