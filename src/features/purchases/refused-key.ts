import { errorLabel } from '../../kernel/error-code.ts';
import type { Context } from '../context.ts';

const SENTENCES = {
  apple: 'the App Store refuses the key of this server',
  stripe: 'Stripe refuses the key of this server, or a right of it',
};

/**
 * Tells the operator that a store refuses our own key: in the log, and by an alert, which the worker sends. Never throws, because what
 * was asked for has its own answer.
 */
export async function reportRefusedKey(
  { db, log }: Pick<Context, 'db' | 'log'>,
  store: 'apple' | 'stripe',
  cause: string,
): Promise<void> {
  log.error({ event: 'vendor_key_refused', store, cause }, SENTENCES[store]);
  await db.call('raise_alert', { kind: 'store_key', subject: store }).catch((error: unknown) => {
    log.warn({ code: errorLabel(error) }, 'an alert could not be queued');
  });
}
