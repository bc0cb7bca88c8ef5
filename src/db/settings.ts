/** The row of settings that the operator's configuration writes and the procedures read, so that no caller of a procedure can choose them. */
import { DatabaseClient, ownerSession } from './session.ts';

/** What is undefined stays as it is. */
export type StoredSettings = {
  initialGrantCredits?: number | undefined;
  /** Whether events are recorded for the operator's own server. */
  sendsWebhooks?: boolean | undefined;
};

/**
 * Stores the settings as the owner that the URL names; changes nothing if they are the same. `isStart`: a server or a worker starts,
 * so outgoing webhooks that were held back are sent again.
 */
export async function storeSettings(
  url: string,
  { initialGrantCredits, sendsWebhooks }: StoredSettings,
  { isStart }: { isStart: boolean },
): Promise<void> {
  const client = new DatabaseClient(ownerSession(url, 'rendio-settings'));
  await client.connect();
  try {
    await client.query(
      `update public.settings
       set initial_grant_credits = coalesce($1, initial_grant_credits),
           sends_webhooks = coalesce($2, sends_webhooks),
           updated_at = now()
       where initial_grant_credits is distinct from coalesce($1, initial_grant_credits)
         or sends_webhooks is distinct from coalesce($2, sends_webhooks)`,
      [initialGrantCredits, sendsWebhooks],
    );
    if (isStart && sendsWebhooks) await client.query('select public.resume_webhooks()');
  } finally {
    await client.end().catch(() => {});
  }
}
