/** What tells of a person in a database, read from its catalogue and its rows. */
import type pg from 'pg';

type Client = Pick<pg.ClientBase, 'query'>;

/** Every column that names a user: by its name, or by a foreign key. */
export async function userColumns(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname || '.' || a.attname as name
     from pg_attribute a
     join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
     where a.attnum > 0 and not a.attisdropped
       and (
         a.attname ~ '(^|_)(user|survivor|guest|account|owner)_id$'
         or exists (
           select from pg_constraint f
           where f.conrelid = c.oid and f.contype = 'f' and f.confrelid = 'public.users'::regclass and a.attnum = any (f.conkey)
         )
       )
     order by 1`,
  );
  return rows.map(({ name }) => name);
}

/** The rows of all tables, also of other schemas, that contain one of the texts in any column and any case. */
export async function rowsWith(client: Client, texts: readonly string[]): Promise<string[]> {
  const tables = await client.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'm') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast'
     order by 1`,
  );
  const found: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await client.query<{ row: string }>(
      `select t::text as row from ${name} t, unnest($1::text[]) as wanted where strpos(lower(t::text), lower(wanted)) > 0`,
      [texts],
    );
    found.push(...rows.map(({ row }) => `${name}: ${row}`));
  }
  return found;
}
