-- The video that a link shows, while its owner may have it; no row: there is no such link any more. `prompt` is null unless the owner
-- shares it too.
create or replace function public.find_share(p_token text) returns table (
  job_id uuid,
  user_id uuid,
  model_name text,
  prompt text,
  video_url text,
  thumbnail_url text,
  completed_at timestamptz
)
language sql
stable
security definer
set search_path = ''
as $$
  select
    j.job_id, j.user_id, j.model_name, case when s.with_prompt then j.prompt end, j.video_url, j.thumbnail_url, j.completed_at
  from public.shares s
  join public.video_jobs j on j.job_id = s.job_id
  join public.users u on u.id = j.user_id
  where s.token = p_token
    and j.status = 'completed'
    and j.deleted_at is null
    and j.video_url is not null
    and u.deleted_at is null
    and not exists (select from public.user_bans b where b.user_id = j.user_id)
$$;
