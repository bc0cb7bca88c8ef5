-- Hides uploads from their owner; the caller deletes the files and then the rows. Unknown paths are ignored. Returns the rows
-- as they were before.
-- @returns UploadRow[]
-- @type UploadRow {
--   id: string, user_id: string, path: string, file: string, content_type: string, bytes: number, width: number,
--   height: number, sha256: string, created_at: string, updated_at: string, stored_at: string | null,
--   metadata: unknown
-- }
create or replace function public.remove_uploads(p_user_id uuid, p_paths jsonb) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  -- Before the uploads are looked up, so that none is missed that a merge moves meanwhile.
  v_user_id uuid := (public.lock_account(p_user_id)).id;
  v_removed jsonb;
begin
  with theirs as (
    select *
    from public.uploads
    where user_id = v_user_id
      and stored_at is not null
      and path in (select jsonb_array_elements_text(p_paths))
    order by id
    for update
  ), hidden as (
    update public.uploads u
    set path = u.user_id || '/~' || u.id, stored_at = null, updated_at = clock_timestamp()
    from theirs
    where u.id = theirs.id
  )
  select coalesce(jsonb_agg(to_jsonb(theirs) order by path), '[]') into v_removed from theirs;
  return v_removed;
end
$$;
