import type { ProviderStatus } from '../provider.ts';
import type { Reply } from './call.ts';
import type { Asked, Fal } from './context.ts';
import { parsed, quoted } from './failure.ts';

/** An answer that says nothing about the job: a gateway's, or one to our key. */
export function unreachable(fal: Fal, reply: Reply, { retryAfterMs }: Asked): ProviderStatus {
  const isKeyRefused = reply.status === 401 || reply.status === 403;
  const isFals = isKeyRefused && parsed(reply.text) !== undefined;
  const cause = `answered ${reply.status}${isFals ? ` (${quoted(reply.text ?? '', [fal.apiKey])})` : ''}`;
  if (isKeyRefused) fal.reportKeyTrouble(cause);
  return { state: 'unreachable', cause, ...(retryAfterMs === null ? {} : { retryAfterMs }) };
}
