-- The sums of two days' figures.
create or replace function public.add_figures(p_one jsonb, p_other jsonb) returns jsonb
language sql
immutable
set search_path = ''
as $$
  select jsonb_object_agg(s.figure, s.amounts)
  from (
    select a.figure, jsonb_object_agg(a.subject, a.amount) as amounts
    from (
      select f.key as figure, v.key as subject, sum(v.value::numeric) as amount
      from (values (p_one), (p_other)) d (figures)
      cross join lateral jsonb_each(d.figures) f
      cross join lateral jsonb_each_text(f.value) v
      group by 1, 2
    ) a
    group by a.figure
  ) s
$$;
