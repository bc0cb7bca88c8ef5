-- Records violations, as jsonb objects of invariant, subject and details, counts the open ones by rule, and alerts operators. Returns
-- those that were not known.
-- @returns {invariant: string, subject: string, details: Json}[]
create or replace function public.record_violations(p_violations jsonb) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_new jsonb;
begin
  with found as (
    select distinct on (v.invariant, v.subject) v.invariant, v.subject, v.details
    from jsonb_to_recordset(p_violations) as v (invariant text, subject uuid, details jsonb)
    order by v.invariant, v.subject
  ), known as (
    update public.money_violations o
    set last_found_at = clock_timestamp(), details = f.details
    from found f
    where o.invariant = f.invariant and o.subject = f.subject
    returning o.invariant, o.subject
  ), added as (
    insert into public.money_violations (invariant, subject, details)
    select f.invariant, f.subject, f.details
    from found f
    where not exists (select from known k where k.invariant = f.invariant and k.subject = f.subject)
    on conflict (invariant, subject) do nothing
    returning invariant, subject, details
  )
  select coalesce(jsonb_agg(jsonb_build_object('invariant', a.invariant, 'subject', a.subject, 'details', a.details)), '[]')
  into v_new
  from added a;

  insert into public.money_checks (invariant, violations, checked_at)
  select r.rule, (select count(*) from public.money_violations o where o.invariant = r.rule), clock_timestamp()
  from public.money_rules() r
  on conflict (invariant) do update set violations = excluded.violations, checked_at = excluded.checked_at;
  perform public.alert_violations();
  return v_new;
end
$$;
