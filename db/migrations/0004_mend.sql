-- What outside checks found. Each block is one topic.

-- A job whose image was deleted or replaced before its provider had it was not declined by the provider, and one whose image the
-- provider could not read needs another image, not another prompt. Not validated: every existing row satisfies the narrower
-- constraint that this one replaces.
alter table public.video_jobs
  drop constraint video_jobs_error_reason_check,
  add constraint video_jobs_error_reason_check check (
    error_reason in ('moderated', 'image_gone', 'image_unreadable')
  ) not valid;

-- The accounts whose device Apple has verified: an account of any other guest costs nothing to make, and may store less. Not a
-- column of users, and without a reference to it: either would lock that table, while calls of older servers hold its rows.
create table public.proven_devices (
  user_id uuid primary key,
  proven_at timestamptz not null default clock_timestamp()
);
alter table public.proven_devices enable row level security;
create policy server_reads on public.proven_devices for select to rendio_server using (true);
insert into public.proven_devices (user_id)
select id from public.users u
where initial_grant_claimed or exists (select from public.device_grants g where g.user_id = u.id);

-- What an upload's owner says about it, as Supabase's storage clients send it.
alter table public.uploads
  add column metadata jsonb check (jsonb_typeof(metadata) = 'object' and char_length(metadata::text) <= 50000);

-- The store that holds this database's files, by the id in it. Null until the first process has started with a store.
alter table public.settings add column media_store_id uuid;

-- Grants: a claim no longer remembers a bit. Whether a device has had its grant is read from both of its bits at Apple. The column
-- stays until no server of the version before runs: a call of its procedures may be waiting for this transaction.
alter table public.device_grants alter column bit1 drop not null;
