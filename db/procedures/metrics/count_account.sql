-- Counts accounts: one for each new row of a user, and one less for each guest that has become a part of another account.
create or replace function public.count_account() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into public.metric_entries (metric, amount)
  values ('accounts', case tg_table_name when 'users' then 1 else -1 end);
  return null;
end
$$;

create or replace trigger users_count_accounts
  after insert on public.users
  for each row
  when (not new.is_admin)
  execute function public.count_account();

create or replace trigger merged_users_count_accounts
  after insert on public.merged_users
  for each row execute function public.count_account();
