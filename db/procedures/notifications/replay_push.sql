-- Sends a push once more, with the same id at Apple. False: there is none with this id. Whether it may still be sent is decided when it
-- is: an account that has lost the device, or the video, gets nothing.
create or replace function public.replay_push(p_push_id uuid) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.pushes
  set state = 'pending', last_error = null, sent_at = null, expires_at = clock_timestamp() + interval '1 day'
  where id = p_push_id;
  if not found then
    return false;
  end if;
  perform public.schedule_push(p_push_id);
  return true;
end
$$;
