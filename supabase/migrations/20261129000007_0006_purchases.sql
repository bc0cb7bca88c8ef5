-- Written by `npm run generate` from db/. Once pushed it never changes: what is new goes into a new file.
-- Changed: migrations/0006_purchases.sql

-- source: migrations/0006_purchases.sql sha256:21674914b4ab314a0e87cec0b53d22da671a7583210c42a040ed4b7cb0c29da0
-- Purchases: what is for sale, what was bought, and which credits paid for what. Each block is one topic. No table refers to users
-- by a foreign key: adding one would lock that table, while calls of older servers hold its rows.

-- What is for sale. `product_id` is the App Store's. `web_price_cents`: what it costs in the web shop; null: not sold there.
create table public.products (
  product_id text primary key check (char_length(product_id) between 1 and 200),
  display_name text not null check (char_length(display_name) between 1 and 200),
  credits integer not null check (credits between 1 and 10000),
  bonus_credits integer not null default 0 check (bonus_credits between 0 and 10000),
  web_price_cents integer check (web_price_cents between 50 and 99999999),
  web_currency text not null default 'usd' check (web_currency ~ '^[a-z]{3}$'),
  is_active boolean not null default true,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);

-- Every transaction of a store that this server has seen, once for ever. `user_id` is null until somebody is credited; `credits` is
-- what was credited, `taken_back` what refunds have taken of it. `refund_decided_at`: when the store signed the newest decision
-- about a refund; an older one that arrives later changes nothing.
create table public.purchases (
  id uuid primary key default gen_random_uuid(),
  seq bigint generated always as identity,
  store text not null check (store in ('apple', 'stripe')),
  environment text not null check (char_length(environment) between 1 and 20),
  transaction_id text not null check (char_length(transaction_id) between 1 and 200),
  user_id uuid,
  product_id text check (char_length(product_id) between 1 and 200),
  quantity integer check (quantity > 0),
  credits integer not null default 0 check (credits >= 0),
  taken_back integer not null default 0,
  is_refunded boolean not null default false,
  refund_decided_at timestamptz,
  price_milliunits bigint,
  currency text check (char_length(currency) between 1 and 10),
  purchased_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  constraint purchases_once unique (store, transaction_id),
  constraint purchases_take_back_at_most_what_they_gave check (taken_back between 0 and credits),
  constraint purchases_credit_a_user check (credits = 0 or user_id is not null)
);
create index purchases_of_user on public.purchases (user_id, seq desc) where user_id is not null;
create index purchases_newest_first on public.purchases (seq desc);

-- What a store has told us, each once. `processed_at` and `outcome` are set when the worker has done what follows from it.
create table public.store_notifications (
  store text not null check (store in ('apple', 'stripe')),
  notification_id text not null check (char_length(notification_id) between 1 and 200),
  seq bigint generated always as identity,
  type text not null check (char_length(type) between 1 and 100),
  subtype text check (char_length(subtype) between 1 and 100),
  environment text check (char_length(environment) between 1 and 20),
  transaction_id text check (char_length(transaction_id) between 1 and 200),
  signed_at timestamptz not null,
  payload text check (octet_length(payload) <= 1000000),
  outcome text check (char_length(outcome) between 1 and 100),
  received_at timestamptz not null default clock_timestamp(),
  processed_at timestamptz,
  primary key (store, notification_id),
  constraint store_notifications_have_an_outcome check ((processed_at is null) = (outcome is null))
);
create index store_notifications_newest_first on public.store_notifications (seq desc);
create index store_notifications_of_transaction on public.store_notifications (transaction_id) where transaction_id is not null;
create index store_notifications_by_age on public.store_notifications (received_at);

-- Codes that give credits. `code` is in capitals, without dashes and spaces.
create table public.codes (
  id uuid primary key default gen_random_uuid(),
  seq bigint generated always as identity,
  code text not null unique check (code ~ '^[A-Z0-9]{4,40}$'),
  credits integer not null check (credits between 1 and 10000),
  uses integer not null default 0,
  uses_max integer not null check (uses_max between 1 and 1000000),
  expires_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  constraint codes_are_used_at_most_so_often check (uses between 0 and uses_max)
);
create index codes_newest_first on public.codes (seq desc);
create table public.code_uses (
  code_id uuid not null references public.codes (id),
  user_id uuid not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (code_id, user_id)
);
create index code_uses_of_user on public.code_uses (user_id);

-- Which purchase a ledger row is about.
alter table public.quota_log add column purchase_id uuid;
alter table public.quota_log drop constraint quota_log_reason_check;
alter table public.quota_log add constraint quota_log_reason_check check (
  reason in (
    'initial_grant', 'video_generation', 'generation_failed_refund', 'iap_purchase', 'apple_refund', 'apple_refund_reversed',
    'admin_refund', 'admin_adjustment', 'account_merge', 'promo_grant', 'code_redeemed', 'credits_expired', 'store_refund',
    'store_refund_reversed'
  )
);

-- The credits of one grant or purchase. Purchased credits never expire. `ledger_id` is the ledger row that opened the lot; null for
-- the balances that were there before lots.
create table public.credit_lots (
  id uuid primary key default gen_random_uuid(),
  seq bigint generated always as identity,
  user_id uuid not null,
  source text not null check (char_length(source) between 1 and 50),
  is_purchased boolean not null,
  amount integer not null check (amount > 0),
  remaining integer not null,
  -- Its own column, so that spending from an open lot changes no indexed value.
  is_open boolean not null generated always as (remaining > 0) stored,
  expires_at timestamptz,
  purchase_id uuid,
  ledger_id uuid,
  created_at timestamptz not null default clock_timestamp(),
  constraint credit_lots_hold_at_most_their_amount check (remaining between 0 and amount),
  constraint credit_lots_purchased_never_expire check (not is_purchased or expires_at is null)
);
create index credit_lots_in_spending_order on public.credit_lots (user_id, is_purchased, expires_at, seq) where is_open;
create index credit_lots_of_user on public.credit_lots (user_id, seq desc);
create index credit_lots_of_purchase on public.credit_lots (purchase_id) where purchase_id is not null;
create index credit_lots_of_ledger_row on public.credit_lots (ledger_id) where ledger_id is not null;
create index credit_lots_by_expiry on public.credit_lots (expires_at) where is_open and expires_at is not null;

-- What was taken from a lot or given back to it, by which ledger row. `job_id`: the generation that it paid for, or that was refunded.
create table public.lot_movements (
  id bigint generated always as identity primary key,
  lot_id uuid not null references public.credit_lots (id),
  change integer not null check (change <> 0),
  ledger_id uuid not null,
  job_id uuid,
  created_at timestamptz not null default clock_timestamp()
);
create index lot_movements_of_lot on public.lot_movements (lot_id, id);
create index lot_movements_of_job on public.lot_movements (job_id) where job_id is not null;
create index lot_movements_of_ledger_row on public.lot_movements (ledger_id);

-- Balances from before lots: of what is left, as much as possible counts as purchased, because purchased credits are spent last.
insert into public.credit_lots (user_id, source, is_purchased, amount, remaining)
select u.id, 'opening_balance', p.is_purchased, p.amount, p.amount
from public.users u
cross join lateral (
  select greatest(least(u.credits_remaining, coalesce(sum(q.change), 0)), 0)::integer as purchased
  from public.quota_log q
  where q.user_id in (select u.id union all select g.user_id from public.merged_users g where g.survivor_id = u.id)
    and q.reason in ('iap_purchase', 'apple_refund', 'apple_refund_reversed', 'store_refund')
) bought
cross join lateral (
  values (true, bought.purchased), (false, u.credits_remaining - bought.purchased)
) p (is_purchased, amount)
where u.credits_remaining > 0 and p.amount > 0;

-- What each rule of the money last found.
create table public.money_checks (
  invariant text primary key check (char_length(invariant) between 1 and 200),
  violations integer not null check (violations >= 0),
  checked_at timestamptz not null default clock_timestamp()
);
-- Violations that are open, each once. The check of changes adds to them; the check of everything also removes those that hold again.
create table public.money_violations (
  invariant text not null check (char_length(invariant) between 1 and 200),
  subject uuid not null,
  details jsonb not null default '{}',
  found_at timestamptz not null default clock_timestamp(),
  last_found_at timestamptz not null default clock_timestamp(),
  primary key (invariant, subject)
);
-- Up to which ledger row and time the check of changes has come, and which ledger rows are older than lots. `noted_…`: what it has
-- noted and not checked yet, because transactions that were running then may still add rows before it: once every transaction
-- up to `noted_xid` has ended, all rows up to `noted_seq` and `noted_at` can be seen.
create table public.audit_progress (
  is_only_row boolean primary key default true check (is_only_row),
  last_seq_without_lots bigint not null,
  checked_seq bigint not null,
  checked_until timestamptz not null,
  noted_seq bigint not null default 0,
  noted_xid xid8 not null default '0',
  noted_at timestamptz not null default clock_timestamp()
);
insert into public.audit_progress (last_seq_without_lots, checked_seq, checked_until)
select coalesce(max(seq), 0), coalesce(max(seq), 0), clock_timestamp() from public.quota_log;

-- Replaced by ones with more arguments.
drop function if exists public.apply_credits(uuid, integer, text, uuid, text);
drop function if exists public.add_credits(uuid, integer, text, text, uuid);

alter table public.products enable row level security;
alter table public.purchases enable row level security;
alter table public.store_notifications enable row level security;
alter table public.codes enable row level security;
alter table public.code_uses enable row level security;
alter table public.credit_lots enable row level security;
alter table public.lot_movements enable row level security;
alter table public.money_checks enable row level security;
alter table public.audit_progress enable row level security;
alter table public.money_violations enable row level security;

insert into public.schema_history (name, hash) values ('migrations/0006_purchases.sql', '21674914b4ab314a0e87cec0b53d22da671a7583210c42a040ed4b7cb0c29da0')
on conflict (name) do update set hash = excluded.hash, applied_at = now();
