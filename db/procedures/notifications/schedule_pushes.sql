-- Schedules a push about a job to each device of its owner, once for each kind and device; nothing for an account without devices, or
-- one that is banned. A push that could not be delivered for a day is no news any more.
create or replace function public.schedule_pushes(p_user_id uuid, p_job_id uuid, p_kind text) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_push_id uuid;
begin
  for v_push_id in
    insert into public.pushes (user_id, job_id, token_id, kind, expires_at)
    select p_user_id, p_job_id, t.id, p_kind, clock_timestamp() + interval '1 day'
    from public.push_tokens t
    where t.user_id = p_user_id and not exists (select from public.user_bans b where b.user_id = p_user_id)
    order by t.id
    on conflict (job_id, kind, token_id) do nothing
    returning id
  loop
    perform public.schedule_push(v_push_id);
  end loop;
end
$$;
