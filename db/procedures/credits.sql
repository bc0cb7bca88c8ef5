-- Lock order, everywhere: users, then video_jobs, then the rest (rate-limit addresses last).
-- Only this file writes users.credits_remaining, users.credits_total and quota_log.

-- Writes one ledger row and the balance that follows from it, and tells the user's apps.
-- Null when p_transaction_id was already used. The caller holds the user's row lock and has judged the amount.
create or replace function public.apply_credits(
  p_user_id uuid,
  p_change integer,
  p_reason text,
  p_job_id uuid,
  p_transaction_id text
) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id uuid;
  v_balance integer;
begin
  insert into public.quota_log (user_id, job_id, change, reason, transaction_id, balance_after)
  select p_user_id, p_job_id, p_change, p_reason, p_transaction_id, u.credits_remaining + p_change
  from public.users u
  where u.id = p_user_id
  on conflict (transaction_id) do nothing
  returning id, balance_after into v_id, v_balance;
  if not found then
    return null;
  end if;

  update public.users
  set credits_remaining = v_balance,
      -- Lifetime earned: grants and purchases, never refunds or corrections.
      credits_total = credits_total + case
        when p_reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed') then p_change
        else 0
      end,
      updated_at = now()
  where id = p_user_id;

  perform public.emit_event(
    p_user_id,
    'credits',
    p_job_id,
    -- The ledger row's id: an app that hears of it here and reads it in the history knows it for the same.
    jsonb_build_object('credits_remaining', v_balance, 'change', p_change, 'reason', p_reason, 'transaction_id', v_id)
  );
  return v_balance;
end
$$;

create or replace function public.deduct_credits(
  p_user_id uuid,
  p_amount integer,
  p_reason text default 'video_generation',
  p_job_id uuid default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_balance integer;
begin
  if p_amount is null or p_amount <= 0 then
    return jsonb_build_object('success', false, 'error', 'Invalid amount');
  end if;

  select credits_remaining into v_balance
  from public.users
  where id = p_user_id and deleted_at is null
  for update;
  if not found then
    return jsonb_build_object('success', false, 'error', 'User not found');
  end if;

  if v_balance < p_amount then
    return jsonb_build_object(
      'success', false,
      'error', 'Insufficient credits',
      'current_credits', v_balance,
      'required_credits', p_amount
    );
  end if;

  return jsonb_build_object(
    'success', true,
    'credits_remaining', public.apply_credits(p_user_id, -p_amount, p_reason, p_job_id, null)
  );
end
$$;

create or replace function public.add_credits(
  p_user_id uuid,
  p_amount integer,
  p_reason text,
  p_transaction_id text default null,
  p_job_id uuid default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_before integer;
  v_balance integer;
begin
  if p_amount is null or p_amount <= 0 then
    return jsonb_build_object('success', false, 'error', 'Invalid amount');
  end if;

  select credits_remaining into v_before
  from public.users
  where id = p_user_id and deleted_at is null
  for update;
  if not found then
    return jsonb_build_object('success', false, 'error', 'User not found');
  end if;

  -- A balance or a lifetime total past what an integer holds is nobody's wish.
  if greatest(v_before, 0)::bigint + p_amount > 1000000000 then
    return jsonb_build_object('success', false, 'error', 'Invalid amount');
  end if;

  v_balance := public.apply_credits(p_user_id, p_amount, p_reason, p_job_id, p_transaction_id);
  if v_balance is null then
    return jsonb_build_object('success', false, 'error', 'Transaction already processed');
  end if;

  return jsonb_build_object('success', true, 'credits_added', p_amount, 'credits_remaining', v_balance);
end
$$;

-- Every broken promise about money that the data can show; no rows when all is well.
create or replace function public.broken_invariants()
returns table (invariant text, subject uuid, details jsonb)
language sql
stable
security definer
set search_path = ''
as $$
  select 'a balance equals the sum of its ledger rows', u.id,
    jsonb_build_object('balance', u.credits_remaining, 'sum', coalesce(l.total, 0))
  from public.users u
  left join (select user_id, sum(change) as total from public.quota_log group by user_id) l on l.user_id = u.id
  where u.credits_remaining <> coalesce(l.total, 0)
  union all
  select 'every row carries the balance after it', r.user_id,
    jsonb_build_object('row', r.id, 'balance_after', r.balance_after, 'sum', r.running)
  from (
    select user_id, id, balance_after, sum(change) over (partition by user_id order by seq) as running
    from public.quota_log
  ) r
  where r.balance_after <> r.running
  union all
  select 'a generation has one charge, of its price', j.job_id,
    jsonb_build_object('credits_used', j.credits_used, 'charged', c.charged, 'charges', c.charges)
  from public.video_jobs j
  cross join lateral (
    select count(*) as charges, -coalesce(sum(q.change), 0) as charged
    from public.quota_log q
    where q.job_id = j.job_id and q.reason = 'video_generation' and q.user_id = j.user_id
  ) c
  where c.charges <> 1 or c.charged <> j.credits_used
  union all
  select 'a failed generation has its credits back, once, and no other has', j.job_id,
    jsonb_build_object('status', j.status, 'refunds', r.refunds, 'refunded', r.refunded)
  from public.video_jobs j
  cross join lateral (
    select count(*) as refunds, coalesce(sum(q.change), 0) as refunded
    from public.quota_log q
    where q.job_id = j.job_id and q.reason = 'generation_failed_refund'
  ) r
  where (j.status = 'failed' and (r.refunds <> 1 or r.refunded <> j.credits_used))
    or (j.status <> 'failed' and r.refunds <> 0)
  union all
  select 'the lifetime total counts grants and purchases', u.id,
    jsonb_build_object('credits_total', u.credits_total, 'sum', coalesce(l.earned, 0))
  from public.users u
  left join (
    select user_id, sum(change) as earned
    from public.quota_log
    where reason in ('initial_grant', 'iap_purchase', 'promo_grant', 'code_redeemed')
    group by user_id
  ) l on l.user_id = u.id
  where u.credits_total <> coalesce(l.earned, 0)
    and not exists (select from public.quota_log m where m.user_id = u.id and m.reason = 'account_merge')
  union all
  select 'job counters say what the jobs say', coalesce(k.user_id, n.user_id),
    jsonb_build_object('status', coalesce(k.status, n.status), 'kept', k.jobs, 'counted', n.jobs)
  from public.job_counters k
  full join (
    select user_id, status, count(*) as jobs from public.video_jobs where deleted_at is null group by user_id, status
  ) n on n.user_id = k.user_id and n.status = k.status
  where coalesce(k.jobs, 0) <> coalesce(n.jobs, 0)
$$;
