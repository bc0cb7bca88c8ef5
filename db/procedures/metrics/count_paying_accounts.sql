-- Counts accounts that have a purchase: those that now have their first, less those whose purchases have moved to another account.
create or replace function public.count_paying_accounts() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_change integer;
begin
  if tg_op = 'INSERT' then
    select count(*) into v_change
    from (select user_id, count(*) as added from new_rows where user_id is not null group by user_id) n
    where n.added = (select count(*) from (select from public.purchases p where p.user_id = n.user_id limit n.added + 1) has);
  else
    with moved as (
      select user_id, sum(amount) as amount
      from (
        select user_id, 1 as amount from new_rows
        union all
        select user_id, -1 from old_rows
      ) both_sides
      where user_id is not null
      group by user_id
      having sum(amount) <> 0
    ), counted as (
      select
        m.amount,
        (select count(*) from (select from public.purchases p where p.user_id = m.user_id limit abs(m.amount) + 1) has) as left_over
      from moved m
    )
    select coalesce(sum(case
      when amount > 0 and left_over = amount then 1
      when amount < 0 and left_over = 0 then -1
      else 0
    end), 0) into v_change
    from counted;
  end if;
  if v_change <> 0 then
    insert into public.metric_entries (metric, amount) values ('paying_accounts', v_change);
  end if;
  return null;
end
$$;

create or replace trigger purchases_count_accounts_of_new
  after insert on public.purchases
  referencing new table as new_rows
  for each statement execute function public.count_paying_accounts();

create or replace trigger purchases_count_accounts_of_changed
  after update on public.purchases
  referencing old table as old_rows new table as new_rows
  for each statement execute function public.count_paying_accounts();
