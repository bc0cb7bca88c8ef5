-- Records how a push fared. `token_gone`: the device's token is removed, unless it was registered again since: `p_gone_at` is since when
-- Apple knows it, and without that, `p_registered_at` names the registration that the push was sent to. `retry`: it is sent again after
-- `p_retry_ms`, or has failed if it is no news by then. Locks the token before the push, like every other procedure.
create or replace function public.finish_push(
  p_push_id uuid,
  p_outcome text,
  p_reason text default null,
  p_retry_ms integer default null,
  p_registered_at timestamptz default null,
  p_gone_at timestamptz default null
) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_retry_at timestamptz := clock_timestamp() + make_interval(secs => p_retry_ms / 1000.0);
  v_state text;
begin
  if p_outcome is null or p_outcome not in ('sent', 'failed', 'dropped', 'token_gone', 'retry') then
    raise exception 'a push cannot end as %', p_outcome using errcode = 'invalid_parameter_value';
  end if;
  if p_outcome = 'token_gone' then
    delete from public.push_tokens
    where id = (select token_id from public.pushes where id = p_push_id)
      and registered_at <= coalesce(p_gone_at, p_registered_at);
  end if;
  update public.pushes
  set state = case
        when p_outcome in ('sent', 'dropped') then p_outcome
        when p_outcome = 'retry' and v_retry_at < expires_at then 'pending'
        else 'failed'
      end,
      attempts = attempts + case when p_outcome = 'dropped' then 0 else 1 end,
      last_error = case when p_outcome <> 'sent' then left(p_reason, 200) end,
      sent_at = case when p_outcome = 'sent' then clock_timestamp() end
  where id = p_push_id and state = 'pending'
  returning state into v_state;
  if v_state = 'pending' then
    perform public.schedule_push(p_push_id, p_retry_ms);
  end if;
end
$$;
