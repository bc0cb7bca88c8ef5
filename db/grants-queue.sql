-- The worker runs as rendio_server, to which the queue's own migrations grant nothing. Without the policies below it would
-- see no jobs, and no error either.
grant usage on schema graphile_worker to rendio_server;
grant select, insert, update, delete on all tables in schema graphile_worker to rendio_server;
grant usage, select on all sequences in schema graphile_worker to rendio_server;
grant execute on all functions in schema graphile_worker to rendio_server;

do $$
declare
  v_table text;
begin
  for v_table in
    select c.relname
    from pg_catalog.pg_class c
    where c.relnamespace = 'graphile_worker'::regnamespace
      and c.relkind in ('r', 'p')
      and c.relrowsecurity
      and not exists (
        select from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polname = 'server_works'
      )
  loop
    execute format(
      'create policy server_works on graphile_worker.%I to rendio_server using (true) with check (true)', v_table
    );
  end loop;
end
$$;
