-- Creates the row of a file that is not stored yet. Every version of an upload is a row and a file of its own, named by its id,
-- so that two writers of one path never touch each other's file. Owners see rows with stored_at. A row without it is being
-- stored or deleted; its path, `<user_id>/~<id>`, is a name that no caller can use.
-- `file`: the key of the file in the media store.
-- @returns {outcome: 'begun', id: string, file: string}
--   | {outcome: 'exists' | 'user_not_found' | 'banned'}
--   | {outcome: 'full', pictures_max: number, bytes_max: number}
create or replace function public.begin_upload(
  p_user_id uuid,
  p_path text,
  p_content_type text,
  p_bytes integer,
  p_width integer,
  p_height integer,
  p_sha256 text,
  p_upsert boolean,
  p_pictures_max integer,
  p_bytes_max bigint
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id uuid := gen_random_uuid();
  v_file text := 'user_uploads/' || p_user_id || '/' || v_id || '.' || case p_content_type
    when 'image/jpeg' then 'jpg'
    when 'image/png' then 'png'
    else 'webp'
  end;
  v_pictures integer;
  v_bytes bigint;
begin
  perform from public.users where id = p_user_id and deleted_at is null for update;
  if not found then
    return jsonb_build_object('outcome', 'user_not_found');
  end if;
  if exists (select from public.user_bans where user_id = p_user_id) then
    return jsonb_build_object('outcome', 'banned');
  end if;
  if not p_upsert and exists (select from public.uploads where path = p_path) then
    return jsonb_build_object('outcome', 'exists');
  end if;

  -- Unfinished uploads count too, so that concurrent uploads do not exceed the limit; the one that is replaced does not.
  select count(*), coalesce(sum(bytes), 0) into v_pictures, v_bytes
  from public.uploads
  where user_id = p_user_id and path <> p_path;
  if v_pictures >= p_pictures_max or v_bytes + p_bytes > p_bytes_max then
    return jsonb_build_object('outcome', 'full', 'pictures_max', p_pictures_max, 'bytes_max', p_bytes_max);
  end if;

  insert into public.uploads (id, user_id, path, file, content_type, bytes, width, height, sha256)
  values (v_id, p_user_id, p_user_id || '/~' || v_id, v_file, p_content_type, p_bytes, p_width, p_height, p_sha256);
  return jsonb_build_object('outcome', 'begun', 'id', v_id, 'file', v_file);
end
$$;
