-- A time as the API writes it: in UTC, ISO 8601 with milliseconds.
create or replace function public.iso_time(p_time timestamptz) returns text
language sql
stable
set search_path = ''
as $$
  select to_char(p_time at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
