-- What outside checks have found.

-- A job whose image was deleted or replaced before its provider had it was not declined by the provider, and one whose image the
-- provider could not read needs another image, not another prompt. Not validated: every existing row satisfies the narrower
-- constraint that this one replaces.
alter table public.video_jobs
  drop constraint video_jobs_error_reason_check,
  add constraint video_jobs_error_reason_check check (
    error_reason in ('moderated', 'image_gone', 'image_unreadable')
  ) not valid;
