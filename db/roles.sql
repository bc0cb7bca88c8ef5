-- The roles that grants and policies name, created wherever they are missing: roles belong to the cluster and are not part of a
-- database's dump.
do $$
declare
  v_role text;
begin
  foreach v_role in array array['rendio_server', 'anon', 'authenticated', 'service_role'] loop
    -- Another database's migration may create it at the same moment.
    begin
      if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
        execute format('create role %I nologin noinherit', v_role);
      end if;
    exception
      when duplicate_object or unique_violation then null;
    end;
  end loop;
end
$$;
