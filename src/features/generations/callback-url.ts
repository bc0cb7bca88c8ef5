export const WEBHOOK_PATH = '/functions/v1/webhook-delivery';

/** Where a provider sends its events about a job; `base` without a slash at the end. */
export function callbackUrlFor(base: string, sender: string, jobId: string): string {
  return `${base}${WEBHOOK_PATH}?provider=${sender}&job=${jobId}`;
}
