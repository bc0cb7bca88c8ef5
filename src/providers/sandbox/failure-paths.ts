/**
 * Text in a prompt that makes the sandbox fail, so that failures can be tried without a vendor:
 * - `[sandbox:fail]`: accepted, then declined as a provider declines a prompt (`ERR_5003`, credits back);
 * - `[sandbox:timeout]`: accepted and never finished; ends when it is cancelled or when the generation's deadline passes.
 */
import type { ProviderStatus } from '../provider.ts';

/** The constant status of such a prompt; null for an ordinary one. */
export function forcedStatus(prompt: string): ProviderStatus | null {
  if (prompt.includes('[sandbox:fail]')) {
    return { state: 'failed', code: 'ERR_5003', cause: 'the prompt asks for a failure' };
  }
  if (prompt.includes('[sandbox:timeout]')) return { state: 'processing', progress: 50 };
  return null;
}
