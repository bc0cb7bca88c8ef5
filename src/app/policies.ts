import type { Context } from '../features/context.ts';
import type { Config } from './config.ts';
import { promptPolicyOf } from './prompt-policy.ts';

/** What the operator has decided: limits and retentions, and which prompts are not taken. */
export function policiesOf(config: Config): Pick<Context, 'policy' | 'promptPolicy'> {
  const { apple, errorLogDays, limits, retention } = config.settings;
  const policy = {
    initialGrantCredits: limits.initialGrantCredits,
    deviceCheckFallback: limits.deviceCheckFallback,
    generationDeadlineSeconds: limits.generationDeadlineSeconds,
    sandboxPurchases: apple.sandboxPurchases,
    consumptionConsent: apple.consumptionConsent,
    refundPreference: apple.refundPreference,
    errorLogDays,
    retention,
    limits,
  };
  return { policy, promptPolicy: promptPolicyOf(config) };
}
