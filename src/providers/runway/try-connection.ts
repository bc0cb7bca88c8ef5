/** Whether Runway takes the key, asked by what the organization has left: that makes nothing and costs nothing. */
import { z } from 'zod';
import type { ConnectionTrial, ProviderConnection } from '../manifest.ts';
import { parseJson } from '../reply.ts';
import { call } from './call.ts';

const Organization = z.object({ creditBalance: z.number() });

export async function tryRunway(
  { credentials, urls, fetch }: ProviderConnection<'apiKey', 'baseUrl'>,
  signal: AbortSignal,
): Promise<ConnectionTrial<'baseUrl'>[]> {
  const reply = await call({ ...credentials, ...urls, fetch }, { method: 'GET', path: '/v1/organization' }, signal);
  if (reply.got === 'nothing') return [{ outcome: 'unreachable', url: 'baseUrl', cause: reply.cause }];
  const { status } = reply;
  if (status === 401 || status === 403) return [{ outcome: 'refused', cause: `answered ${status}` }];
  const organization = status === 200 ? Organization.safeParse(parseJson(reply.text)).data : undefined;
  if (!organization) {
    const cause = `answered ${status}${status < 500 ? ', which is not an answer of Runway' : ''}`;
    return [{ outcome: 'unreachable', url: 'baseUrl', cause }];
  }
  if (organization.creditBalance > 0) return [{ outcome: 'accepted' }];
  return [{ outcome: 'exhausted', cause: 'has no credits' }];
}
