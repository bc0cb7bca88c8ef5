/** Applies a model's settings schema (JSON Schema 2020-12, flat) to the settings in a request. */
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

/** The content of models.settings_schema; all writes to the catalogue keep to this shape. */
export type SettingsSchema = { properties: Record<string, SettingSchema> };

/** Returns the given settings of these names. Others are ignored and never reach a provider. */
export function pickSettings(names: string[], given: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    names
      .filter((name) => Object.hasOwn(given, name) && given[name] !== undefined && given[name] !== null)
      .map((name) => [name, given[name]]),
  );
}

/** Returns every allowed value of a setting, or its type and bounds if the values cannot be listed. */
function allowedOf(setting: SettingSchema): unknown {
  if (setting.enum) return setting.enum;
  if (setting.type === 'boolean') return [true, false];
  const { minimum, maximum } = setting;
  if (minimum === undefined || maximum === undefined) return { type: setting.type, minimum, maximum };
  return Array.from({ length: maximum - minimum + 1 }, (_, index) => minimum + index);
}

function isAllowed(setting: SettingSchema, value: unknown): value is SettingValue {
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

/** Returns every setting of a model, as given or with its default. Throws ERR_4006 for a value that is not allowed. */
export function completeSettings(schema: SettingsSchema, given: Record<string, unknown>): VideoSettings {
  const complete: Record<string, SettingValue> = {};
  for (const [name, setting] of Object.entries(schema.properties)) {
    const value = given[name] ?? setting.default;
    if (value === undefined) continue;
    if (!isAllowed(setting, value)) {
      throw new Problem('ERR_4006', { details: { field: `settings.${name}`, allowed: allowedOf(setting) } });
    }
    complete[name] = value;
  }
  const duration = complete.duration;
  if (typeof duration !== 'number') throw new Problem('ERR_6003', { cause: 'the model has no duration' });
  return { ...complete, duration };
}
