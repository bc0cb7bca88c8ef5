-- Moves up to `p_limit` entries into the totals, each once, in however many processes at the same time. Returns how many.
create or replace function public.total_metrics(p_limit integer default 1000) returns integer
language sql
security definer
set search_path = ''
as $$
  with due as (
    delete from public.metric_entries
    where id in (select id from public.metric_entries order by id limit p_limit for update skip locked)
    returning metric, labels, amount
  ), added as (
    insert into public.metric_totals as t (metric, labels, total)
    select metric, labels, sum(amount)
    from due
    group by metric, labels
    -- One order for all callers.
    order by metric, labels
    on conflict (metric, labels) do update set total = t.total + excluded.total
  )
  select count(*)::integer from due
$$;
