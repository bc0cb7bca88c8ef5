-- The rules of the money, by the names that every check of them uses.
create or replace function public.money_rules() returns table (rule text)
language sql
immutable
set search_path = ''
as $$
  values
    ('a balance equals the sum of its ledger rows'),
    ('every row carries the balance after it'),
    ('nothing but a store''s refund leaves a debt'),
    ('an account has one initial grant'),
    ('a transaction is credited once'),
    ('the lifetime total counts grants and purchases'),
    ('a merged guest keeps nothing'),
    ('a merge moves what it takes'),
    ('a generation has one charge, of its price'),
    ('a failed generation has its credits back, once, and no other has'),
    ('a refund goes back to the lots that paid'),
    ('a generation ends within a day of its deadline'),
    ('job counters say what the jobs say'),
    ('lots hold the balance'),
    ('a lot is its amount and its movements'),
    ('a ledger row changes the lots as much as the balance'),
    ('lots and purchases belong to accounts'),
    ('a purchase is what its ledger rows say')
$$;
