-- Deletes the row of an upload whose file is not, or no longer, in the store. False: the row is in use.
create or replace function public.forget_upload(p_id uuid) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  delete from public.uploads where id = p_id and stored_at is null;
  return found;
end
$$;
