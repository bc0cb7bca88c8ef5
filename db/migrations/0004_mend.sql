-- What outside checks found. Each block is one topic.

-- Which guests' devices Apple has verified: an account of any other guest costs nothing to make, and may store less.
alter table public.users add column device_proven_at timestamptz;
update public.users u
set device_proven_at = u.created_at
where u.initial_grant_claimed or exists (select from public.device_grants g where g.user_id = u.id);

-- What an upload's owner says about it, as Supabase's storage clients send it.
alter table public.uploads
  add column metadata jsonb check (jsonb_typeof(metadata) = 'object' and char_length(metadata::text) <= 50000);
