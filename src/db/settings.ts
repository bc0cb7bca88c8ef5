/** The row of amounts that the operator sets and the procedures read, so that no caller of a procedure can choose them. */
import pg from 'pg';

export type StoredSettings = { initialGrantCredits: number };

/** Stores the settings as the owner that the URL names; changes nothing if they are the same. */
export async function storeSettings(url: string, settings: StoredSettings): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'rendio-settings' });
  // A lost connection also rejects the running query; without this listener it would end the process.
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
