-- Creates a code that gives credits to up to `p_uses_max` accounts. `p_code` in the form in which codes are stored; null: twelve
-- characters that cannot be guessed. All columns are null if there is such a code.
create or replace function public.create_code(
  p_credits integer,
  p_uses_max integer,
  p_code text default null,
  p_expires_at timestamptz default null
) returns public.codes
language plpgsql
security definer
set search_path = ''
as $$
declare
  -- Without characters that look like others: 0 and O, 1, I and L, 2 and Z, 5 and S, 8 and B, U and V.
  v_alphabet constant text := 'ACDEFGHJKMNPQRTVWXY34679';
  v_random bytea;
  v_code public.codes;
begin
  loop
    v_random := sha256(uuid_send(gen_random_uuid()));
    insert into public.codes (code, credits, uses_max, expires_at)
    select
      coalesce(
        p_code,
        -- Two bytes for each character, so that all are as good as equally likely.
        string_agg(
          substr(v_alphabet, (get_byte(v_random, 2 * i) * 256 + get_byte(v_random, 2 * i + 1)) % length(v_alphabet) + 1, 1),
          ''
        )
      ),
      p_credits, p_uses_max, p_expires_at
    from generate_series(0, 11) as i
    on conflict (code) do nothing
    returning * into v_code;
    exit when found or p_code is not null;
  end loop;
  return v_code;
end
$$;
