import { errorLabel } from '../../kernel/error-code.ts';
import { Problem } from '../../kernel/errors.ts';
import type { PromptVerdict } from '../../moderation/port.ts';
import type { Context } from '../context.ts';

/** A person waits at a phone. */
const POLICY_WAIT_MS = 3_000;
const RETRY_SECONDS = 30;

/**
 * Throws ERR_4003 for a prompt that the operator's policy blocks, and ERR_5006 (503) where the policy fails or does not answer in time: a
 * prompt that was not judged is not sent. The log names who and which model, never the prompt.
 */
export async function checkPolicy(
  ctx: Pick<Context, 'log' | 'promptPolicy'>,
  { prompt, userId, modelId }: { prompt: string; userId: string; modelId: string },
): Promise<void> {
  const verdict = await judge(ctx, prompt);
  if (verdict === 'allowed') return;
  ctx.log.warn({ event: 'prompt_blocked', user_id: userId, model_id: modelId }, 'a prompt was blocked');
  throw new Problem('ERR_4003', { details: { field: 'prompt', reason: 'policy' } });
}

async function judge(
  { log, promptPolicy }: Pick<Context, 'log' | 'promptPolicy'>,
  prompt: string,
): Promise<PromptVerdict> {
  const limit = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const reason = new Error('the prompt policy did not answer in time');
    late.reject(reason);
    limit.abort(reason);
  }, POLICY_WAIT_MS);
  try {
    const verdict = await Promise.race([promptPolicy.judge(prompt, limit.signal), late.promise]);
    if (verdict !== 'allowed' && verdict !== 'blocked') throw new TypeError('the prompt policy gave no verdict');
    return verdict;
  } catch (error) {
    // Its message may quote the prompt.
    log.error({ code: errorLabel(error) }, 'the prompt policy failed: no video is started without it');
    throw new Problem('ERR_5006', { retryAfterSeconds: RETRY_SECONDS });
  } finally {
    clearTimeout(timer);
  }
}
