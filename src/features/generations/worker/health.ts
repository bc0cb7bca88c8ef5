import type { ErrorCode } from '../../../kernel/errors.ts';
import type { ProviderName } from '../../../providers/provider.ts';
import type { Context } from '../../context.ts';

/**
 * What a provider did with a job. `turned_away`: it did not accept the submit. `unanswered`: it may have accepted it.
 * `failed`: it accepted the submit and made no video.
 */
type Outcome = 'turned_away' | 'unanswered' | 'failed' | 'accepted' | 'completed';

/** Reports an outcome to the provider's circuit breaker. A crash before the call loses one report of many. */
export async function recordOutcome(
  ctx: Pick<Context, 'db' | 'log'>,
  provider: ProviderName,
  jobId: string,
  outcome: Outcome,
): Promise<void> {
  const change = await ctx.db.call('record_provider_outcome', { provider, job_id: jobId, outcome });
  if (change === 'opened')
    ctx.log.error(
      { event: 'provider_circuit', provider, state: 'open' },
      'circuit opened: the provider’s models are not offered',
    );
  if (change === 'closed')
    ctx.log.warn(
      { event: 'provider_circuit', provider, state: 'closed' },
      'circuit closed: the provider’s models are offered again',
    );
}

/** Declined requests and videos that do not play do not count as failures of the provider. */
export function isOutage(code: ErrorCode): boolean {
  return code === 'ERR_5001' || code === 'ERR_5002';
}
