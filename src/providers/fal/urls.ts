/** The URLs of a job in fal's queue. Whatever URL a reply names, the key is sent to the configured queue alone. */

/** An app in these namespaces has a third part. */
const NAMESPACES = new Set(['workflows', 'comfy']);

/** A job is submitted to the endpoint; its status, result and cancellation are under the app, the first two parts. */
function appOf(endpoint: string): string {
  const parts = endpoint.split('/');
  return parts.slice(0, NAMESPACES.has(parts[0] ?? '') ? 3 : 2).join('/');
}

export function createUrls(queueUrl: string, restUrl: string) {
  const base = queueUrl.replace(/\/+$/, '');
  const rest = restUrl.replace(/\/+$/, '');
  const jobUrl = (endpoint: string, requestId: string) => `${base}/${appOf(endpoint)}/requests/${requestId}`;

  return {
    upload: `${rest}/storage/upload/initiate?storage_type=fal-cdn-v3`,
    /** An image is sent over https, or to the configured host. */
    isUploadUrlSafe: (url: string) =>
      new URL(url).protocol === 'https:' || new URL(url).origin === new URL(rest).origin,
    submit: (endpoint: string, webhookUrl: string | null) =>
      `${base}/${endpoint}${webhookUrl === null ? '' : `?fal_webhook=${encodeURIComponent(webhookUrl)}`}`,
    status: (endpoint: string, requestId: string) => `${jobUrl(endpoint, requestId)}/status`,
    cancel: (endpoint: string, requestId: string) => `${jobUrl(endpoint, requestId)}/cancel`,
    /** Where the result may be, the likeliest first: `responseUrl` from fal if it is in the queue, then both documented forms. */
    results(endpoint: string, requestId: string, responseUrl: string | undefined): string[] {
      const url = jobUrl(endpoint, requestId);
      const isInQueue = responseUrl !== undefined && isWithin(base, responseUrl, requestId);
      return [...new Set([...(isInQueue ? [responseUrl] : []), url, `${url}/response`])];
    },
  };
}

export type Urls = ReturnType<typeof createUrls>;

function isWithin(base: string, text: string, requestId: string): boolean {
  if (!URL.canParse(text)) return false;
  const [queue, url] = [new URL(base), new URL(text)];
  const folder = queue.pathname.endsWith('/') ? queue.pathname : `${queue.pathname}/`;
  const isSame = url.origin === queue.origin && url.username === '' && url.pathname.startsWith(folder);
  return isSame && url.pathname.split('/').includes(requestId);
}
