/** What a model lets a request choose: a flat JSON Schema (2020-12), of which our check knows these words and no others. */
export type SettingValue = string | number | boolean;

export type SettingSchema = {
  type: 'integer' | 'string' | 'boolean';
  enum?: SettingValue[] | undefined;
  minimum?: number | undefined;
  maximum?: number | undefined;
  default?: SettingValue | undefined;
};

/** The content of models.settings_schema; all writes to the catalogue keep to this shape. */
export type SettingsSchema = { properties: Record<string, SettingSchema> };

/** A longer list helps no one, and a setting such as a seed has billions of values. */
const LISTED_MAX = 100;

/** Returns every allowed value of a setting, or its type and bounds if the values cannot be listed. */
export function allowedValues(setting: SettingSchema): unknown {
  if (setting.enum) return setting.enum;
  if (setting.type === 'boolean') return [true, false];
  const { minimum, maximum } = setting;
  if (minimum === undefined || maximum === undefined || maximum - minimum >= LISTED_MAX) {
    return { type: setting.type, minimum, maximum };
  }
  return Array.from({ length: maximum - minimum + 1 }, (_, index) => minimum + index);
}

/** Whether a setting admits a value. */
export function isAllowedValue(setting: SettingSchema, value: unknown): value is SettingValue {
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
