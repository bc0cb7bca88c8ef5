-- Has the worker revoke a token at Apple. Nothing in the queue or in the row names the account.
create or replace function public.schedule_apple_revocation(p_client_id text, p_sealed_token bytea) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_id uuid;
begin
  insert into public.apple_revocations (client_id, sealed_token) values (p_client_id, p_sealed_token) returning id into v_id;
  perform public.enqueue('revoke_apple_token', json_build_object('id', v_id), 'revoke_apple:' || v_id);
end
$$;
