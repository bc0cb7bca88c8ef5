-- Takes up to `p_limit` due deliveries, the one that is due the longest first. Each is due again after 30 seconds, twice as long as an
-- attempt may take, unless `record_webhook_attempt` says more: so a worker that dies loses none.
create or replace function public.claim_webhooks(p_limit integer)
returns table (id uuid, type text, payload jsonb, attempts integer, created_at timestamptz)
language sql
security definer
set search_path = ''
as $$
  with due as (
    select d.id
    from public.webhook_deliveries d
    where d.state = 'pending'
      and d.next_attempt_at <= now()
      and exists (
        select from public.settings s where s.sends_webhooks and coalesce(s.webhooks_held_until <= now(), true)
      )
    order by d.next_attempt_at
    limit p_limit
    for update of d skip locked
  )
  update public.webhook_deliveries d
  set next_attempt_at = clock_timestamp() + interval '30 seconds'
  from due
  where d.id = due.id
  returning d.id, d.type, d.payload, d.attempts, d.created_at
$$;
