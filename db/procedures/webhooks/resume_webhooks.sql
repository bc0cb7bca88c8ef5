-- Ends what holds outgoing webhooks back, and has the worker look for those that are due. The owner calls it at the start of a server.
-- @owner
create or replace function public.resume_webhooks() returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.settings set webhooks_held_until = null where webhooks_held_until is not null;
  perform public.enqueue('send_webhooks', '{}', null);
end
$$;
