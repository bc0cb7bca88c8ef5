-- Stores an error for operators. `p_request_data` must already be redacted.
create or replace function public.log_error(
  p_user_id uuid,
  p_error_code text,
  p_endpoint text,
  p_request_data jsonb,
  p_error_details jsonb
) returns void
language sql
security definer
set search_path = ''
as $$
  insert into public.error_log (user_id, error_code, endpoint, request_data, error_details)
  select (select id from public.users where id = p_user_id), p_error_code, left(p_endpoint, 200), p_request_data, p_error_details
$$;
