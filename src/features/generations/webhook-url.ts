export const WEBHOOK_PATH = '/functions/v1/webhook-delivery';

/** Where a provider is to send its events about a job; `base` without a slash at the end. */
export function webhookUrlFor(base: string, sender: string, jobId: string): string {
  return `${base}${WEBHOOK_PATH}?provider=${sender}&job=${jobId}`;
}
