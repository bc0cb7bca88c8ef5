/** Applies a model's settings schema (JSON Schema 2020-12, flat) to the settings in a request. */
import { Problem } from '../../kernel/errors.ts';
import { allowedValues, isAllowedValue, type SettingsSchema, type SettingValue } from '../../kernel/settings-schema.ts';
import type { VideoSettings } from '../../providers/provider.ts';

/** Returns the given settings of these names. Others are ignored and never reach a provider. */
export function pickSettings(names: string[], given: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    names
      .filter((name) => Object.hasOwn(given, name) && given[name] !== undefined && given[name] !== null)
      .map((name) => [name, given[name]]),
  );
}

/** Returns every setting of a model, as given or with its default. Throws ERR_4006 for a value that is not allowed. */
export function completeSettings(schema: SettingsSchema, given: Record<string, unknown>): VideoSettings {
  const complete: Record<string, SettingValue> = {};
  for (const [name, setting] of Object.entries(schema.properties)) {
    // Own: every object inherits a `constructor`.
    const value = (Object.hasOwn(given, name) ? given[name] : undefined) ?? setting.default;
    if (value === undefined) continue;
    if (!isAllowedValue(setting, value)) {
      throw new Problem('ERR_4006', { details: { field: `settings.${name}`, allowed: allowedValues(setting) } });
    }
    complete[name] = value;
  }
  const duration = complete.duration;
  if (typeof duration !== 'number') throw new Problem('ERR_6003', { cause: 'the model has no duration' });
  return { ...complete, duration };
}
