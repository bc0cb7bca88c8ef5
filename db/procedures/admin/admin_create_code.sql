-- Creates a code that gives credits. `p_code` in the form in which codes are stored; null: one that cannot be guessed. `exists`: there
-- is such a code. `past`: it would have expired already.
-- @returns {outcome: 'done' | 'replayed', status_code: number, response: Json}
--   | {outcome: 'session_ended' | 'key_reused' | 'exists' | 'past'}
create or replace function public.admin_create_code(
  p_by jsonb,
  p_credits integer,
  p_uses_max integer,
  p_reason text,
  p_code text default null,
  p_expires_at timestamptz default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_earlier jsonb := public.begin_admin_action(p_by, 'admin_create_code');
  v_code public.codes;
begin
  if v_earlier is not null then
    return v_earlier;
  end if;
  if p_expires_at <= clock_timestamp() then
    return jsonb_build_object('outcome', 'past');
  end if;
  v_code := public.create_code(p_credits, p_uses_max, p_code, p_expires_at);
  if v_code.id is null then
    return jsonb_build_object('outcome', 'exists');
  end if;
  -- By its id: the code itself is worth credits to whoever reads the actions.
  return public.finish_admin_action(
    p_by, 'admin_create_code', 'code_create', p_reason,
    jsonb_build_object(
      'target', v_code.id,
      'amount', p_credits,
      'details', jsonb_build_object('uses_max', p_uses_max, 'expires_at', public.iso_time(p_expires_at))
    ),
    jsonb_build_object(
      'id', v_code.id,
      'code', v_code.code,
      'credits', v_code.credits,
      'uses', v_code.uses,
      'uses_max', v_code.uses_max,
      'expires_at', public.iso_time(v_code.expires_at),
      'created_at', public.iso_time(v_code.created_at)
    )
  );
end
$$;
