/** The row of amounts that the operator sets and the procedures read, so that no caller of a procedure can choose them. */
import { DatabaseClient, ownerSession } from './session.ts';

export type StoredSettings = { initialGrantCredits: number };

/** Stores the settings as the owner that the URL names; changes nothing if they are the same. */
export async function storeSettings(url: string, settings: StoredSettings): Promise<void> {
  const client = new DatabaseClient(ownerSession(url, 'rendio-settings'));
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
