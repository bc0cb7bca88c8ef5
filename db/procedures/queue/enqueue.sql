-- Adds a task to the queue, in the caller's transaction. At most one task of a key waits; a running task stays beside the new
-- one, so handlers compare the state before they change it. Many attempts, because jobs end by their own deadline.
create or replace function public.enqueue(
  p_task text,
  p_payload json,
  p_key text,
  p_delay_ms integer default 0,
  p_max_attempts integer default 1000
) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform graphile_worker.add_job(
    p_task,
    p_payload,
    run_at := clock_timestamp() + make_interval(secs => greatest(p_delay_ms, 0) / 1000.0),
    max_attempts := p_max_attempts,
    job_key := p_key
  );
end
$$;
