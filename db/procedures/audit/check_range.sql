-- Checks a range of users (see broken_invariants), records what it finds, and returns what was not known.
-- @returns {invariant: string, subject: string, details: Json}[]
create or replace function public.check_range(p_after uuid default null, p_until uuid default null) returns jsonb
language sql
security definer
set search_path = ''
as $$
  select public.record_violations(
    coalesce(
      (
        select jsonb_agg(jsonb_build_object('invariant', b.invariant, 'subject', b.subject, 'details', b.details))
        from public.broken_invariants(p_after, p_until) b
      ),
      '[]'
    )
  )
$$;
