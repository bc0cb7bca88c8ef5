-- At the end of a transaction that changed a balance: the user's lots hold exactly the balance; a debt leaves nothing in them.
create or replace function public.check_lots() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_balance integer;
  v_held bigint;
begin
  select credits_remaining into v_balance from public.users where id = new.id;
  select coalesce(sum(remaining), 0) into v_held from public.credit_lots where user_id = new.id and is_open;
  if v_held <> greatest(v_balance, 0) then
    raise exception 'a balance of % credits, but % in lots', v_balance, v_held using errcode = 'check_violation';
  end if;
  return null;
end
$$;

do $$
begin
  if not exists (select from pg_catalog.pg_trigger where tgname = 'users_lots_hold_the_balance') then
    create constraint trigger users_lots_hold_the_balance
      after insert or update of credits_remaining on public.users
      deferrable initially deferred
      for each row execute function public.check_lots();
  end if;
end
$$;
