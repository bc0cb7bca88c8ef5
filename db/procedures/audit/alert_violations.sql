-- Tells operators of open violations that no alert has told of: at most one alert an hour, and what is found after it is in the next.
create or replace function public.alert_violations() returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_details jsonb;
begin
  if not exists (select from public.money_violations where alerted_at is null) then
    return;
  end if;
  with untold as (
    select invariant, coalesce(details ->> 'user_id', subject::text) as account, found_at
    from public.money_violations
    where alerted_at is null
  )
  select jsonb_build_object(
    'violations', (select count(*) from untold),
    'rules', (
      select jsonb_agg(jsonb_build_object('rule', r.invariant, 'violations', r.violations) order by r.invariant)
      from (select invariant, count(*) as violations from untold group by invariant) r
    ),
    'accounts', (
      select jsonb_agg(a.account)
      from (select account from untold group by account order by min(found_at), account limit 3) a
    )
  )
  into v_details;
  if public.raise_alert('money_invariant', '', v_details) then
    -- Another check may hold some of them, and wait for a row that this one holds.
    update public.money_violations
    set alerted_at = clock_timestamp()
    where (invariant, subject) in (
      select invariant, subject from public.money_violations where alerted_at is null for update skip locked
    );
  end if;
end
$$;
