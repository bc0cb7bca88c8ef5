import type { SlotResult } from '../../../kernel/bulkhead.ts';
import type { VideoProvider } from '../../../providers/provider.ts';
import type { Context } from '../../context.ts';

/**
 * Runs the calls to a provider in one of its vendor's slots in this process, so that a vendor that hangs does not stop other
 * vendors' jobs. If all slots are in use nothing runs; the caller ends its task and schedules another. Without a provider on
 * this server no slot is needed.
 */
export async function withProviderSlot<T>(
  ctx: Pick<Context, 'bulkhead'>,
  provider: VideoProvider | null,
  work: () => Promise<T>,
): Promise<SlotResult<T>> {
  if (!provider) return { hasRun: true, result: await work() };
  // Providers of one sender share the vendor's machines: Pika hangs when fal does.
  return ctx.bulkhead.run(provider.webhooksFrom ?? provider.name, work);
}
