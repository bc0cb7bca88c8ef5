/** A model's settings schema (JSON Schema 2020-12, flat) applied to what a caller sent. */
import { Problem } from '../../kernel/errors.ts';
import type { VideoSettings } from '../../providers/provider.ts';

type SettingValue = string | number | boolean;

type SettingSchema = {
  type: 'integer' | 'string' | 'boolean';
  enum?: SettingValue[];
  minimum?: number;
  maximum?: number;
  default?: SettingValue;
};

/** What a settings schema's column holds; the catalogue's own writes keep to it. */
export type SettingsSchema = { properties: Record<string, SettingSchema> };

/** The settings of these names, as sent; others are ignored and never reach a provider. */
export function knownSettings(names: string[], given: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    names
      .filter((name) => Object.hasOwn(given, name) && given[name] !== undefined && given[name] !== null)
      .map((name) => [name, given[name]]),
  );
}

/** Every value that the setting admits, or its bounds where they are too many to list. */
function allowedOf(setting: SettingSchema): unknown {
  if (setting.enum) return setting.enum;
  if (setting.type === 'boolean') return [true, false];
  const { minimum, maximum } = setting;
  if (minimum === undefined || maximum === undefined) return { type: setting.type, minimum, maximum };
  return Array.from({ length: maximum - minimum + 1 }, (_, index) => minimum + index);
}

function admits(setting: SettingSchema, value: unknown): value is SettingValue {
  if (setting.enum) return setting.enum.some((option) => option === value);
  if (setting.type === 'integer') {
    return (
      Number.isInteger(value) &&
      Number(value) >= (setting.minimum ?? Number.MIN_SAFE_INTEGER) &&
      Number(value) <= (setting.maximum ?? Number.MAX_SAFE_INTEGER)
    );
  }
  return typeof value === setting.type;
}

/** Settings ready for a provider: every one the model has, with its default where none was sent. Else ERR_4006. */
export function completeSettings(schema: SettingsSchema, given: Record<string, unknown>): VideoSettings {
  const complete: Record<string, SettingValue> = {};
  for (const [name, setting] of Object.entries(schema.properties)) {
    const value = given[name] ?? setting.default;
    if (value === undefined) continue;
    if (!admits(setting, value)) {
      throw new Problem('ERR_4006', { details: { field: `settings.${name}`, allowed: allowedOf(setting) } });
    }
    complete[name] = value;
  }
  const duration = complete.duration;
  if (typeof duration !== 'number') throw new Problem('ERR_6003', { cause: 'a model without a duration' });
  return { ...complete, duration };
}
