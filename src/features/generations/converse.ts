import type { Visit } from '../../kernel/bulkhead.ts';
import type { VideoProvider } from '../../providers/provider.ts';
import type { Context } from '../context.ts';

/**
 * Talks to a provider in one of the few places of this process that its vendor may hold, so that one that hangs holds up
 * nobody else's jobs. Where they are all taken, whoever asked leaves its task and comes back by another. With a provider
 * that is not here there is nobody to hang.
 */
export async function converse<T>(
  ctx: Context,
  provider: VideoProvider | null,
  talk: () => Promise<T>,
): Promise<Visit<T>> {
  if (!provider) return { isFull: false, result: await talk() };
  // Providers behind one sender are one vendor's machines: Pika hangs when fal does.
  return ctx.bulkhead.run(provider.webhooksFrom ?? provider.name, talk);
}
