/**
 * Who judges prompts: by default the operator's block list. To ask a service instead, or as well, return another `PromptPolicy` here; this
 * is the only place that chooses one. What it may take and what happens when it fails is decided where it is asked.
 */
import { createBlockList } from '../moderation/block-list.ts';
import type { PromptPolicy } from '../moderation/port.ts';
import type { Config } from './config.ts';

export function promptPolicyOf({ settings }: Pick<Config, 'settings'>): PromptPolicy {
  return createBlockList(settings.promptBlocklist);
}
