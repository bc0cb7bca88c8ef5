import type { StoredSettings } from '../db/settings.ts';
import type { Config } from './config.ts';

/** The part of the configuration that procedures read. */
export function storedSettingsOf({ settings, secrets }: Config): StoredSettings {
  return {
    initialGrantCredits: settings.limits.initialGrantCredits,
    sendsWebhooks: secrets.outgoingWebhook !== undefined,
  };
}
