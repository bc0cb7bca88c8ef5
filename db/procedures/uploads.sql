-- Pictures that people upload. Every version of one is a row and a file of its own, named by its id: writers of one path
-- cannot touch each other's file, and the last to finish is what the path means. A row with stored_at is what its owner
-- sees. One without is on its way in, or on its way out; its path, `<user_id>/~<id>`, is no name that anybody can give.

-- Makes room for a file that is not stored yet. Returns {outcome} = begun {id} | exists | full {pictures_max, bytes_max} |
-- user_not_found | banned.
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

  -- What is on its way counts too, so that many at once do not get past the limit; what it replaces does not.
  select count(*), coalesce(sum(bytes), 0) into v_pictures, v_bytes
  from public.uploads
  where user_id = p_user_id and path <> p_path;
  if v_pictures >= p_pictures_max or v_bytes + p_bytes > p_bytes_max then
    return jsonb_build_object('outcome', 'full', 'pictures_max', p_pictures_max, 'bytes_max', p_bytes_max);
  end if;

  insert into public.uploads (id, user_id, path, content_type, bytes, width, height, sha256)
  values (v_id, p_user_id, p_user_id || '/~' || v_id, p_content_type, p_bytes, p_width, p_height, p_sha256);
  return jsonb_build_object('outcome', 'begun', 'id', v_id);
end
$$;

-- The file is stored: from now on the path means it, and no other. Returns {outcome} = stored {replaced: the row whose file
-- may go, or null} | exists (somebody else was faster, and nothing was to be replaced) | gone (it was given up meanwhile).
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
  select user_id into v_user_id from public.uploads where id = p_id;
  if not found then
    return jsonb_build_object('outcome', 'gone');
  end if;
  perform from public.users where id = v_user_id for update;
  select * into v_upload from public.uploads where id = p_id for update;
  if not found then
    return jsonb_build_object('outcome', 'gone');
  elsif v_upload.stored_at is not null then
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

-- Takes pictures out of their owner's sight; whoever calls removes the files and forgets the rows. Paths that mean nothing
-- are left out. Returns the rows as they were.
create or replace function public.remove_uploads(p_user_id uuid, p_paths jsonb) returns jsonb
language sql
security definer
set search_path = ''
as $$
  with theirs as (
    select *
    from public.uploads
    where user_id = p_user_id
      and stored_at is not null
      and path in (select jsonb_array_elements_text(p_paths))
    for update
  ), hidden as (
    update public.uploads u
    set path = u.user_id || '/~' || u.id, stored_at = null, updated_at = clock_timestamp()
    from theirs
    where u.id = theirs.id
  )
  select coalesce(jsonb_agg(to_jsonb(theirs) order by path), '[]') from theirs
$$;

-- The file is not in the store, or not any more.
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

-- Takes pictures that nobody has used or uploaded for so long out of sight, the oldest first. Returns how many.
create or replace function public.expire_uploads(p_unused_days integer, p_limit integer) returns integer
language sql
security definer
set search_path = ''
as $$
  with unused as (
    select u.id
    from public.uploads u
    where u.stored_at is not null
      and u.updated_at < clock_timestamp() - make_interval(days => p_unused_days)
      and not exists (
        select from public.video_jobs j
        where j.user_id = u.user_id
          and j.image_url = u.path
          and (j.completed_at is null or j.created_at > clock_timestamp() - make_interval(days => p_unused_days))
      )
    order by u.updated_at
    limit p_limit
    for update skip locked
  ), hidden as (
    update public.uploads u
    set path = u.user_id || '/~' || u.id, stored_at = null, updated_at = clock_timestamp()
    from unused
    where u.id = unused.id
    returning 1
  )
  select count(*)::integer from hidden
$$;
