/** Whether fal takes the key, asked by the status of a job that does not exist: that makes nothing and costs nothing. */
import type { ConnectionTrial, ProviderConnection } from '../manifest.ts';
import { type NoReply, parseJson, type Reply } from '../reply.ts';
import { call } from './call.ts';
import { createUrls } from './urls.ts';

type Connection = ProviderConnection<'apiKey', 'queueUrl' | 'restUrl'>;
type Trial = ConnectionTrial<'queueUrl' | 'restUrl'>;

/** Any model will do: the key is looked at first. */
const ENDPOINT = 'fal-ai/veo3.1';

export async function tryFal(connection: Connection, signal: AbortSignal): Promise<Trial[]> {
  return Promise.all([tryKey(connection, signal), tryWebhookKeys(connection, signal)]);
}

async function tryKey({ credentials, urls, fetch }: Connection, signal: AbortSignal): Promise<Trial> {
  const url = createUrls(urls.queueUrl, urls.restUrl).status(ENDPOINT, crypto.randomUUID());
  const reply = await call(fetch, { method: 'GET', url, apiKey: credentials.apiKey }, signal);
  if (reply.got === 'nothing') return { outcome: 'unreachable', url: 'queueUrl', cause: reply.cause };
  const { status } = reply;
  if (status === 401 || status === 403) return { outcome: 'refused', cause: `answered ${status}` };
  if (status === 402) return { outcome: 'exhausted', cause: 'answered 402' };
  if (isPage(reply) || status >= 500) return { outcome: 'unreachable', url: 'queueUrl', cause: describe(reply) };
  return { outcome: 'accepted' };
}

/** Without these keys no webhook can be verified. */
async function tryWebhookKeys({ urls, fetch }: Connection, signal: AbortSignal): Promise<Trial> {
  const url = `${urls.restUrl.replace(/\/+$/, '')}/.well-known/jwks.json`;
  const reply = await call(fetch, { method: 'GET', url }, signal);
  const isKeys = reply.got === 'reply' && reply.status === 200 && Array.isArray(Object(parseJson(reply.text)).keys);
  return isKeys ? { outcome: 'accepted' } : { outcome: 'unreachable', url: 'restUrl', cause: describe(reply) };
}

/** fal sends no pages and no redirects: these come from something else. */
function isPage({ status, text }: Reply): boolean {
  return (status >= 300 && status < 400) || /^\s*</.test(text ?? '<');
}

function describe(reply: Reply | NoReply): string {
  if (reply.got === 'nothing') return reply.cause;
  return `answered ${reply.status}${reply.status < 500 ? ', which is not an answer of fal' : ''}`;
}
