import pg from 'pg';

export type Outage = {
  /** From now on the database has no connection and takes none. */
  begin(): Promise<void>;
  end(): Promise<void>;
  /** Ends the sessions of these application names; of all where none is given. Returns how many they were. */
  cut(...names: string[]): Promise<number>;
};

/** What a restart of the database looks like from outside, of this one alone; the connection for it goes to another. */
export function outageOf(url: string): Outage {
  const database = new URL(url).pathname.slice(1);
  const elsewhere = new URL(url);
  elsewhere.pathname = '/postgres';
  const run = async (sql: string, values: unknown[] = []): Promise<number> => {
    const client = new pg.Client(elsewhere.href);
    await client.connect();
    try {
      return (await client.query(sql, values)).rowCount ?? 0;
    } finally {
      await client.end();
    }
  };
  const outage: Outage = {
    async begin() {
      await run(`alter database ${pg.escapeIdentifier(database)} allow_connections false`);
      await outage.cut();
    },
    async end() {
      await run(`alter database ${pg.escapeIdentifier(database)} allow_connections true`);
    },
    cut: (...names) =>
      run(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = $1 and (application_name = any($2) or cardinality($2::text[]) = 0)`,
        [database, names],
      ),
  };
  return outage;
}
