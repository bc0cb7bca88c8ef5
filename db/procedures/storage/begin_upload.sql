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
  p_bytes_max bigint,
  -- Null from servers of the previous version.
  p_bytes_max_unproven bigint default null,
  p_metadata jsonb default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id uuid := gen_random_uuid();
  v_file text;
  v_admitted jsonb;
begin
  -- Uploads of one account are admitted one after another, so that together they do not exceed its limit.
  p_user_id := coalesce((public.lock_account(p_user_id)).id, p_user_id);
  v_admitted := public.admit_upload(
    p_user_id, p_path, p_bytes, p_upsert, p_pictures_max, p_bytes_max, coalesce(p_bytes_max_unproven, p_bytes_max)
  );
  if v_admitted ->> 'outcome' <> 'admitted' then
    return v_admitted;
  end if;

  v_file := 'user_uploads/' || p_user_id || '/' || v_id || '.' || case p_content_type
    when 'image/jpeg' then 'jpg'
    when 'image/png' then 'png'
    else 'webp'
  end;
  insert into public.uploads (id, user_id, path, file, content_type, bytes, width, height, sha256, metadata)
  values (
    v_id, p_user_id, p_user_id || '/~' || v_id, v_file, p_content_type, p_bytes, p_width, p_height, p_sha256, p_metadata
  );
  return jsonb_build_object('outcome', 'begun', 'id', v_id, 'file', v_file);
end
$$;
