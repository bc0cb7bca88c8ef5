export const WEBHOOK_PATH = '/functions/v1/webhook-delivery';

/** Returns the URL to which a provider sends its events about a job. `base` has no trailing slash. */
export function callbackUrlFor(base: string, sender: string, jobId: string): string {
  return `${base}${WEBHOOK_PATH}?provider=${sender}&job=${jobId}`;
}
