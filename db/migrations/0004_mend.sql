-- What outside checks found. Each block is one topic's.

-- Grants: a claim no longer remembers a bit. Whether a device has had its grant is read from both of its bits at Apple.
alter table public.device_grants drop column bit1;
