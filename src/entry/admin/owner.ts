/** What only the owner of the tables may do: to make administrators, and to act without one. */
import type { Config } from '../../app/config.ts';
import { createOwnerCall, type OwnerCall } from '../../db/database.ts';
import { describeDatabaseFailure } from '../../db/failure.ts';
import { DatabaseClient, ownerSession } from '../../db/session.ts';
import type { AdminTools } from './command.ts';
import { findDatabase, requireMigrated } from './database.ts';

export type OwnerTools = { call: OwnerCall; config: Config };

/** Runs `work` with calls as the owner, on the database of a running server or the one that the environment names. */
export async function withOwner<T>(tools: AdminTools, work: (owner: OwnerTools) => Promise<T>): Promise<T> {
  const { config, found } = await findDatabase(tools);
  try {
    const client = new DatabaseClient(ownerSession(found.url, 'rendio-admin'));
    try {
      await client.connect().catch((error: unknown) => {
        throw describeDatabaseFailure(error);
      });
      await requireMigrated(async (name) => {
        const { rowCount } = await client.query('select from public.schema_history where name = $1', [name]);
        return rowCount === 1;
      });
      return await work({ call: createOwnerCall((text, values) => client.query(text, values)), config });
    } finally {
      await client.end().catch(() => {});
    }
  } finally {
    await found.close();
  }
}
