create unique index concurrently if not exists error_log_once on public.error_log (entry_id) where entry_id is not null;
