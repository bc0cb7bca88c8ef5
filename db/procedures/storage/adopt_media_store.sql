-- Records the id of the store that holds this database's files. The first one stays: returns the recorded id.
-- @returns string
create or replace function public.adopt_media_store(p_id uuid) returns uuid
language plpgsql
security definer
set search_path = ''
as $$
begin
  update public.settings set media_store_id = p_id, updated_at = now() where media_store_id is null;
  return (select media_store_id from public.settings);
end
$$;
