-- Removes up to `p_limit` rows of one of the `retentions`, the oldest first. Returns how many, and from where to go on; null: it is
-- done. Going on from there passes over the dead rows of earlier calls, so that each call costs the same. Rows that another
-- call holds are left to the next run: a merge locks many of an account's, in an order of its own. Of rows that are changed a tenth of
-- `p_limit`: each is written anew, into every index of its table.
-- @returns {rows: number, next: string | null}
create or replace function public.prune_rows(
  p_kind text,
  p_limit integer default 300,
  p_after timestamptz default null,
  p_error_log_days integer default 90,
  p_job_archive_days integer default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_kept record;
  v_limit integer := p_limit;
  v_places tid[];
  v_next timestamptz;
  v_rows integer := 0;
begin
  select * into strict v_kept from public.retentions(p_error_log_days, p_job_archive_days) where kind = p_kind;
  if v_kept.keep is null then
    return jsonb_build_object('rows', 0, 'next', null);
  end if;
  if v_kept.change is not null then
    v_limit := greatest(1, p_limit / 10);
  end if;
  execute format(
    'select array_agg(place), max(age)
     from (
       select ctid as place, %1$I as age
       from public.%2$I
       where %1$I < now() - $1 and %1$I >= $2 and %3$s
       order by %1$I
       limit $3
       for update skip locked
     ) old',
    v_kept.age_column, v_kept.table_name, v_kept.condition
  )
  into v_places, v_next
  using v_kept.keep, coalesce(p_after, '-infinity'), v_limit;
  if v_places is not null then
    -- The rows are locked, so they are still where they were found.
    execute format(
      case when v_kept.change is null then 'delete from public.%1$I where ctid = any ($1)' else 'update public.%1$I set %2$s where ctid = any ($1)' end,
      v_kept.table_name, v_kept.change
    )
    using v_places;
    get diagnostics v_rows = row_count;
  end if;
  return jsonb_build_object(
    'rows', v_rows,
    'next', case when cardinality(v_places) >= v_limit then v_next end
  );
end
$$;
