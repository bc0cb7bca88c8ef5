/** Looks at a database as a server would find it at its start, without changing it. */
import type pg from 'pg';
import { StartupError } from '../kernel/startup-error.ts';
import { pendingMigrations, readHashes, requireKnownMigrations, requireVersion } from './migrate.ts';
import { DatabaseClient, ownerSession, SERVER_ROLE } from './session.ts';

export type DatabaseState = {
  /** What would keep a server from starting: sentences to be read after the name of the URL's variable. */
  faults: string[];
  /** How many migrations the next start applies. */
  pending: number;
  /** Whether the role exists that everything but migrations acts as; the first start makes it. */
  hasServerRole: boolean;
  isEncrypted: boolean;
  /** How many sessions everyone may have together. */
  connectionsMax: number;
  /** The id of the media store that the database has recorded; null: none yet. */
  mediaStoreId: string | null;
};

type Rights = {
  user: string;
  isSuperuser: boolean;
  canCreateRoles: boolean;
  canCreateSchemas: boolean;
  canCreateTables: boolean;
  ownsTables: boolean;
  missingRoles: string[];
  canBecomeServer: boolean;
  hasServerRole: boolean;
  hasHistory: boolean;
  connectionsMax: number;
  isReadOnly: boolean;
};

/** With `anon` and the others, the roles of `db/roles.sql`. */
const ROLES = [SERVER_ROLE, 'anon', 'authenticated', 'service_role'];

/** Who may not act as the server's role has to be able to grant it. Before PostgreSQL 16 all who make roles were. */
const RIGHTS = `
  select session_user::text as "user",
    r.rolsuper as "isSuperuser",
    r.rolcreaterole as "canCreateRoles",
    has_database_privilege(current_database(), 'create') as "canCreateSchemas",
    has_schema_privilege('public', 'create') as "canCreateTables",
    coalesce((select pg_has_role(c.relowner, 'usage') from pg_catalog.pg_class c where c.oid = to_regclass('public.users')), true)
      as "ownsTables",
    array(select name from unnest($1::text[]) name where not exists (select from pg_catalog.pg_roles where rolname = name))
      as "missingRoles",
    exists (select from pg_catalog.pg_roles s where s.rolname = $2 and (
      pg_has_role(s.oid, case when current_setting('server_version_num')::int < 160000 then 'member' else 'set' end)
      or pg_has_role(s.oid, 'member with admin option')
    )) or (r.rolcreaterole and current_setting('server_version_num')::int < 160000) as "canBecomeServer",
    exists (select from pg_catalog.pg_roles where rolname = $2) as "hasServerRole",
    to_regclass('public.schema_history') is not null as "hasHistory",
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as "connectionsMax",
    pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as "isReadOnly"
  from pg_catalog.pg_roles r where r.rolname = session_user`;

/** Throws where the database cannot be reached. */
export async function inspectDatabase(url: string): Promise<DatabaseState> {
  const client = new DatabaseClient(ownerSession(url, 'rendio-doctor'));
  try {
    await client.connect();
    const rights = (await client.query<Rights>(RIGHTS, [ROLES, SERVER_ROLE])).rows[0];
    if (!rights) throw new StartupError('The database does not say what its user may do.');
    const history = await readHistory(client, rights);
    return {
      faults: [...faultsOf(rights), ...history.faults],
      pending: history.pending,
      hasServerRole: rights.hasServerRole,
      isEncrypted: 'encrypted' in client.connection.stream,
      connectionsMax: rights.connectionsMax,
      mediaStoreId: history.mediaStoreId,
    };
  } finally {
    await client.end().catch(() => {});
  }
}

function faultsOf(rights: Rights): string[] {
  const { user, missingRoles } = rights;
  const faults: string[] = [];
  if (rights.isReadOnly) faults.push('takes no writes: it is a standby, or read-only. Name the primary.');
  if (rights.isSuperuser) return faults;
  if (missingRoles.length > 0 && !rights.canCreateRoles)
    faults.push(
      `names the user ${user}, who may not create roles, and ${missingRoles.join(', ')} do not exist. As a superuser run: alter role "${user}" createrole`,
    );
  if (!rights.canCreateSchemas)
    faults.push(
      `names the user ${user}, who may not create schemas. As the database's owner run: grant create on database <its name> to "${user}"`,
    );
  if (!rights.canCreateTables)
    faults.push(
      `names the user ${user}, who may not create tables in the schema public. Name the database's owner, or run: grant create on schema public to "${user}"`,
    );
  if (!rights.ownsTables)
    faults.push(`names the user ${user}, who does not own the tables. Name the user that made them.`);
  if (rights.hasServerRole && !rights.canBecomeServer)
    faults.push(
      `names the user ${user}, who may not act as ${SERVER_ROLE}. As a superuser run: grant ${SERVER_ROLE} to "${user}" with admin option`,
    );
  return faults;
}

async function readHistory(
  client: pg.Client,
  rights: Rights,
): Promise<Pick<DatabaseState, 'faults' | 'pending' | 'mediaStoreId'>> {
  const applied = rights.hasHistory && rights.ownsTables ? await readHashes(client) : new Map<string, string>();
  const pending = await faultOr(() => pendingMigrations(applied));
  const all = [
    await faultOr(() => requireVersion(client)),
    await faultOr(() => requireKnownMigrations(applied)),
    pending,
  ];
  return {
    faults: all.filter((found) => typeof found === 'string'),
    pending: Array.isArray(pending) ? pending.length : 0,
    mediaStoreId: applied.size > 0 ? await readMediaStoreId(client) : null,
  };
}

/** What a start throws, as a fault. */
async function faultOr<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    return `leads to a database that cannot be used. ${error.message}`;
  }
}

async function readMediaStoreId(client: pg.Client): Promise<string | null> {
  const { rows } = await client.query<{ column: boolean }>(
    `select exists (select from pg_catalog.pg_attribute
       where attrelid = to_regclass('public.settings') and attname = 'media_store_id') as "column"`,
  );
  if (!rows[0]?.column) return null;
  const found = await client.query<{ id: string | null }>('select media_store_id::text as id from public.settings');
  return found.rows[0]?.id ?? null;
}
