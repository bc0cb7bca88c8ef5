-- Records what was done on the command line with an administrator, or with what `p_target` names. No administrator has done it.
create or replace function public.record_owner_action(
  p_action_type text,
  p_user_id uuid default null,
  p_target text default null
) returns void
language sql
security definer
set search_path = ''
as $$
  insert into public.admin_actions (action_type, target_user_id, target, reason)
  values (p_action_type, p_user_id, p_target, 'On the command line.')
$$;
