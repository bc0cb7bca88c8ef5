-- Whether the provider has reported that the video is made. From then on one task delivers it, and the job cannot be cancelled.
create or replace function public.is_made(p_job_id uuid) returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select exists (
    select from public.provider_attempts where job_id = p_job_id and state = 'accepted' and result = 'completed'
  )
$$;
