-- The file is stored: gives its row the path. `replaced`: the previous version, whose file may be deleted. `exists`: another
-- upload was first, and replacing was not allowed. `gone`: the upload was removed meanwhile.
-- @returns {outcome: 'stored', replaced: UploadRow | null} | {outcome: 'exists' | 'gone'}
create or replace function public.finish_upload(p_id uuid, p_path text, p_upsert boolean) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user_id uuid;
  v_upload public.uploads;
  v_before public.uploads;
begin
  loop
    v_user_id := (public.lock_account((select user_id from public.uploads where id = p_id))).id;
    -- The account was deleted, or the upload removed.
    if v_user_id is null then
      return jsonb_build_object('outcome', 'gone');
    end if;
    select * into v_upload from public.uploads where id = p_id and user_id = v_user_id for update;
    exit when found;
    -- It was removed, or a merge has given it to another account, while this call waited.
  end loop;
  if v_upload.stored_at is not null then
    return jsonb_build_object('outcome', 'stored', 'replaced', null);
  end if;

  select * into v_before from public.uploads where path = p_path for update;
  if found and not p_upsert then
    return jsonb_build_object('outcome', 'exists');
  end if;
  update public.uploads
  set path = user_id || '/~' || id, stored_at = null, updated_at = clock_timestamp()
  where id = v_before.id;
  update public.uploads
  set
    path = p_path,
    stored_at = clock_timestamp(),
    created_at = coalesce(v_before.created_at, created_at),
    updated_at = clock_timestamp()
  where id = p_id;
  return jsonb_build_object('outcome', 'stored', 'replaced', case when v_before.id is null then null else to_jsonb(v_before) end);
end
$$;
