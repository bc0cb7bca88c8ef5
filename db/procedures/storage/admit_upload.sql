-- Whether an account may upload so many bytes to this path now. A guest whose device Apple has not verified may keep less.
-- @returns {outcome: 'admitted'}
--   | {outcome: 'exists' | 'user_not_found' | 'banned'}
--   | {outcome: 'full', pictures_max: number, bytes_max: number}
create or replace function public.admit_upload(
  p_user_id uuid,
  p_path text,
  p_bytes integer,
  p_upsert boolean,
  p_pictures_max integer,
  p_bytes_max bigint,
  p_bytes_max_unproven bigint
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_user public.users;
  v_bytes_max bigint := p_bytes_max;
  v_pictures integer;
  v_bytes bigint;
begin
  p_user_id := public.survivor_of(p_user_id);
  select * into v_user from public.users where id = p_user_id and deleted_at is null;
  if not found then
    return jsonb_build_object('outcome', 'user_not_found');
  end if;
  if exists (select from public.user_bans where user_id = p_user_id) then
    return jsonb_build_object('outcome', 'banned');
  end if;
  if not p_upsert and exists (select from public.uploads where path = p_path) then
    return jsonb_build_object('outcome', 'exists');
  end if;
  if v_user.is_guest and not exists (select from public.proven_devices where user_id = p_user_id) then
    v_bytes_max := least(p_bytes_max, p_bytes_max_unproven);
  end if;

  -- Unfinished uploads count too, so that concurrent uploads do not exceed the limit; the one that is replaced does not.
  select count(*), coalesce(sum(bytes), 0) into v_pictures, v_bytes
  from public.uploads
  where user_id = p_user_id and path <> p_path;
  if v_pictures >= p_pictures_max or v_bytes + p_bytes > v_bytes_max then
    return jsonb_build_object('outcome', 'full', 'pictures_max', p_pictures_max, 'bytes_max', v_bytes_max);
  end if;
  return jsonb_build_object('outcome', 'admitted');
end
$$;
