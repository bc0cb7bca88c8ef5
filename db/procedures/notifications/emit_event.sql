-- Stores an event for a user's event streams and notifies them at commit. Called under the user's row lock, so that ids grow
-- in commit order for each user and a stream that resumes after an id misses nothing.
create or replace function public.emit_event(p_user_id uuid, p_type text, p_job_id uuid, p_data jsonb) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.user_events (user_id, type, job_id, data)
  values (p_user_id, p_type, p_job_id, p_data);
  perform pg_catalog.pg_notify('user_events', p_user_id::text);
end
$$;
