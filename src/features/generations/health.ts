import type { ErrorCode } from '../../kernel/errors.ts';
import type { ProviderName } from '../../providers/provider.ts';
import type { Context } from '../context.ts';

/**
 * `refused`: its submit found nobody well. `unanswered`: it may have been taken. `failed`: it was taken, and no video came
 * of it for want of the provider.
 */
type Fared = 'refused' | 'unanswered' | 'failed' | 'accepted' | 'completed';

/**
 * Notes how a provider has served a job: one that fails job after job is not sold until one goes well. What is lost with
 * a crash was one note of many.
 */
export async function noteHealth(ctx: Context, provider: ProviderName, jobId: string, fared: Fared): Promise<void> {
  const turned = await ctx.db.call<'opened' | 'closed' | null>('note_provider_health', {
    provider,
    job_id: jobId,
    fared,
  });
  if (turned === 'opened') ctx.log.error({ provider }, 'the provider fails job after job: nothing is sold on it');
  if (turned === 'closed') ctx.log.warn({ provider }, 'the provider is well again');
}

/** A request that was declined says nothing of the provider's health, nor does a file that does not play. */
export function isOutage(code: ErrorCode): boolean {
  return code === 'ERR_5001' || code === 'ERR_5002';
}
