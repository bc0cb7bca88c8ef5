/** The row of amounts that the procedures read: what the operator has set, which no caller of a procedure can choose. */
import pg from 'pg';

export type StoredSettings = { initialGrantCredits: number };

/** Stores the settings as the owner that the URL names; changes nothing where they are the same. */
export async function storeSettings(url: string, settings: StoredSettings): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'rendio-settings' });
  // A lost connection also rejects the query in flight; without a listener it would end the process instead.
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(
      `update public.settings set initial_grant_credits = $1, updated_at = now()
       where initial_grant_credits is distinct from $1`,
      [settings.initialGrantCredits],
    );
  } finally {
    await client.end().catch(() => {});
  }
}
