-- Outgoing webhooks: what the operator's own server is told.

-- `sends_webhooks`: a receiver is configured; otherwise nothing is recorded. `webhooks_held_until`: nothing is sent before;
-- infinity: until the server is restarted or a delivery is replayed, because the receiver has said that it is gone.
alter table public.settings add column sends_webhooks boolean not null default false;
alter table public.settings add column webhooks_held_until timestamptz;

-- `id` is the header webhook-id of every attempt. `payload`: the field `data` of the body; no text of a person. A pending delivery is due
-- at `next_attempt_at`; while an attempt runs, that is when the next one begins if this one's result never arrives. This table
-- is the queue: tasks only say when to look into it.
create table public.webhook_deliveries (
  id uuid primary key default gen_random_uuid(),
  seq bigint generated always as identity,
  user_id uuid not null,
  type text not null check (
    type in (
      'video.completed', 'video.failed', 'credits.changed', 'purchase.completed', 'purchase.refunded', 'account.merged',
      'account.deleted'
    )
  ),
  payload jsonb not null check (jsonb_typeof(payload) = 'object'),
  state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
  attempts integer not null default 0 check (attempts >= 0),
  last_status integer,
  last_error text check (char_length(last_error) <= 100),
  created_at timestamptz not null default clock_timestamp(),
  last_attempt_at timestamptz,
  next_attempt_at timestamptz default clock_timestamp(),
  delivered_at timestamptz,
  constraint webhook_deliveries_next_attempt check ((state = 'pending') = (next_attempt_at is not null)),
  constraint webhook_deliveries_delivered check ((state = 'delivered') = (delivered_at is not null))
);
create index webhook_deliveries_due on public.webhook_deliveries (next_attempt_at) where state = 'pending';
create index webhook_deliveries_by_age on public.webhook_deliveries (created_at);
create index webhook_deliveries_of_user on public.webhook_deliveries (user_id, created_at desc, id);
-- The administrators' list: every combination of state and type is read from its end. With an index on `seq` alone, the planner
-- would walk through all rows for a rare one.
create index webhook_deliveries_listed on public.webhook_deliveries (state, type, seq);
create index webhook_deliveries_listed_of_user on public.webhook_deliveries (user_id, seq);

alter table public.webhook_deliveries enable row level security;
