-- Removes the push tokens that a session has registered when it ends, however it ends: the next person who uses the phone does not
-- see the pushes of the one before.
create or replace function public.forget_tokens_of_session() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  delete from public.push_tokens where session_id = old.id;
  return null;
end
$$;

create or replace trigger sessions_forget_push_tokens
  after update of revoked_at on public.sessions
  for each row when (old.revoked_at is null and new.revoked_at is not null)
  execute function public.forget_tokens_of_session();
create or replace trigger sessions_removed_forget_push_tokens
  after delete on public.sessions
  for each row execute function public.forget_tokens_of_session();
