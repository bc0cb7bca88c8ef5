/** Where fal's queue keeps a job. Whatever address an answer names, the key goes to the configured queue alone. */

/** Their app has a third part. */
const NAMESPACES = new Set(['workflows', 'comfy']);

/** The whole endpoint takes a job; what comes later is asked of the app, its first two parts. */
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
    /** A picture goes over https, or to the very host that we were told to ask. */
    isUploadUrlSafe: (url: string) => new URL(url).protocol === 'https:' || new URL(url).origin === new URL(rest).origin,
    submit: (endpoint: string, webhookUrl: string | null) =>
      `${base}/${endpoint}${webhookUrl === null ? '' : `?fal_webhook=${encodeURIComponent(webhookUrl)}`}`,
    status: (endpoint: string, requestId: string) => `${jobUrl(endpoint, requestId)}/status`,
    cancel: (endpoint: string, requestId: string) => `${jobUrl(endpoint, requestId)}/cancel`,
    /** Where the result may be, the likeliest first: `named` by fal if it is in the queue, then both documented forms. */
    results(endpoint: string, requestId: string, named: string | undefined): string[] {
      const url = jobUrl(endpoint, requestId);
      const isOurs = named !== undefined && isWithin(base, named, requestId);
      return [...new Set([...(isOurs ? [named] : []), url, `${url}/response`])];
    },
  };
}

export type Urls = ReturnType<typeof createUrls>;

function isWithin(base: string, named: string, requestId: string): boolean {
  if (!URL.canParse(named)) return false;
  const [queue, url] = [new URL(base), new URL(named)];
  const folder = queue.pathname.endsWith('/') ? queue.pathname : `${queue.pathname}/`;
  const isSame = url.origin === queue.origin && url.username === '' && url.pathname.startsWith(folder);
  return isSame && url.pathname.split('/').includes(requestId);
}
