-- What servers of the previous version call while they run beside new ones. To be deleted with the next version.

-- That version updates a device once. The second bit that this returns makes the device one that has had its grant; an open
-- claim is not shown to that version, so only a newer server finishes it.
create or replace function public.claim_initial_grant(p_user_id uuid, p_bit1 boolean) returns boolean
language sql
security definer
set search_path = ''
as $$
  select case when public.claim_initial_grant(p_user_id) then false end
$$;

create or replace function public.complete_initial_grant(p_user_id uuid, p_amount integer) returns integer
language sql
security definer
set search_path = ''
as $$
  select public.complete_initial_grant(p_user_id)
$$;

create or replace function public.forget_upload(p_id uuid) returns boolean
language sql
security definer
set search_path = ''
as $$
  select public.forget_uploads(jsonb_build_array(p_id)) > 0
$$;

create or replace function public.note_provider_health(p_provider text, p_job_id uuid, p_fared text) returns text
language sql
security definer
set search_path = ''
as $$
  select public.record_provider_outcome(p_provider, p_job_id, case p_fared when 'refused' then 'turned_away' else p_fared end)
$$;

create or replace function public.prune_logs(p_limit integer default 1000) returns jsonb
language sql
security definer
set search_path = ''
as $$
  select jsonb_object_agg(kind, public.prune_rows(kind, p_limit) -> 'rows') from public.retentions() where keep is not null
$$;

create or replace function public.schedule_confirm(
  p_job_id uuid,
  p_provider_job_id text,
  p_delay_ms integer,
  p_look integer default 1
) returns void
language sql
security definer
set search_path = ''
as $$
  select public.schedule_confirmation(p_job_id, p_provider_job_id, p_delay_ms, p_look)
$$;

create or replace function public.schedule_settle(p_job_id uuid, p_delay_ms integer) returns void
language sql
security definer
set search_path = ''
as $$
  select public.schedule_poll(p_job_id, p_delay_ms)
$$;

create or replace function public.schedule_stop(p_job_id uuid, p_delay_ms integer) returns void
language sql
security definer
set search_path = ''
as $$
  select public.schedule_cleanup(p_job_id, p_delay_ms)
$$;

-- Procedures of that version call this one: a call may be waiting for the upgrade, with the old text of its procedure.
create or replace function public.stop_at_provider(p_job_id uuid) returns void
language sql
security definer
set search_path = ''
as $$
  select public.schedule_cleanup(p_job_id)
$$;

-- Calls that began before the upgrade still write rows of the previous version. This trigger completes them.
create or replace function public.complete_previous_rows() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if tg_table_name = 'uploads' then
    new.file := coalesce(
      new.file,
      'user_uploads/' || new.user_id || '/' || new.id || '.' || case new.content_type
        when 'image/jpeg' then 'jpg'
        when 'image/png' then 'png'
        else 'webp'
      end
    );
  elsif tg_table_name = 'video_jobs' then
    new.media_path := coalesce(
      new.media_path,
      new.user_id || '/' || to_char(new.created_at at time zone 'utc', 'YYYY-MM') || '/' || new.job_id
    );
  else
    new.state := case new.state when 'refused' then 'retryable' when 'rejected' then 'declined' else new.state end;
  end if;
  return new;
end
$$;
create or replace trigger uploads_complete_previous_rows
  before insert on public.uploads
  for each row execute function public.complete_previous_rows();
create or replace trigger video_jobs_complete_previous_rows
  before insert on public.video_jobs
  for each row execute function public.complete_previous_rows();
create or replace trigger provider_attempts_complete_previous_rows
  before update of state on public.provider_attempts
  for each row execute function public.complete_previous_rows();

-- Calls with named arguments reach the new functions as well.
drop function if exists public.begin_generation(
  uuid, uuid, text, uuid, text, jsonb, text, inet, integer, integer, integer, integer
);
drop function if exists public.begin_generation(
  uuid, uuid, text, uuid, text, jsonb, integer, integer, integer, integer, text, inet
);
drop function if exists public.begin_upload(
  uuid, text, text, integer, integer, integer, text, boolean, integer, bigint
);
drop function if exists public.onboard_device(text, text);
drop function if exists public.finish_generation(uuid, text, text, bigint, text, numeric);
drop function if exists public.broken_invariants();
drop function if exists public.prune_logs();
drop function if exists public.cancel_generation(uuid, uuid, uuid, text);
