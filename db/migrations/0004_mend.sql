-- The store that holds this database's files, by the id in it. Null until the first process has started with a store.
alter table public.settings add column media_store_id uuid;
