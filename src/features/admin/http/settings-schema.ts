/** The shape in which an administrator gives a model's settings: one that our check and our prices can work with. */
import { z } from '@hono/zod-openapi';
import {
  allowedValues,
  isAllowedValue,
  type SettingSchema,
  type SettingsSchema,
} from '../../../kernel/settings-schema.ts';

const SETTINGS_MAX = 30;
const VALUES_MAX = 100;
const TEXT_MAX = 100;
/** An hour: no model makes a longer video, and no price of one overflows. */
const DURATION_SECONDS_MAX = 3_600;
/** Far from where a double stops being exact. */
const INTEGER_MAX = 2 ** 48;

/** What providers take these settings to be. */
const KNOWN_TYPES: Record<string, SettingSchema['type']> = {
  duration: 'integer',
  resolution: 'string',
  aspect_ratio: 'string',
  fps: 'integer',
  audio: 'boolean',
};

const integer = z.int().min(-INTEGER_MAX).max(INTEGER_MAX);
const value = z.union([z.string().min(1).max(TEXT_MAX), integer, z.boolean()]);

/** Other words of JSON Schema are refused: clients would obey what the server does not check. */
const Setting = z.strictObject({
  type: z.enum(['integer', 'string', 'boolean']),
  enum: z.array(value).min(1).max(VALUES_MAX).optional().openapi({ description: 'All allowed values.' }),
  minimum: integer.optional(),
  maximum: integer.optional(),
  default: value.optional(),
});

type Refuse = (path: string[], allowed?: unknown) => void;

export const GivenSettingsSchema = z
  .strictObject({
    $schema: z.literal('https://json-schema.org/draft/2020-12/schema').optional(),
    type: z.literal('object'),
    properties: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,49}$/), Setting),
  })
  .superRefine(({ properties }, context) => {
    const refuse: Refuse = (path, allowed) => {
      const params = allowed === undefined ? {} : { params: { allowed } };
      context.addIssue({ code: 'custom', path: ['properties', ...path], ...params });
    };
    const settings = Object.entries(properties);
    if (settings.length > SETTINGS_MAX) refuse([], { maxProperties: SETTINGS_MAX });
    for (const [name, setting] of settings)
      checkSetting(name, setting, (path, allowed) => refuse([name, ...path], allowed));
    const { duration } = properties;
    if (duration) checkDuration(duration, (path, allowed) => refuse(['duration', ...path], allowed));
    else refuse(['duration']);
  })
  .openapi({
    description:
      'A flat JSON Schema (2020-12). Of each setting: `type`, `enum`, `minimum`, `maximum`, `default`, and nothing else. `duration` is ' +
      `a whole number of seconds, from 1 to ${DURATION_SECONDS_MAX}, and needs a default.`,
  }) satisfies z.ZodType<SettingsSchema>;

function checkSetting(name: string, setting: SettingSchema, refuse: Refuse): void {
  const { type, enum: values, minimum, maximum } = setting;
  const known = Object.hasOwn(KNOWN_TYPES, name) ? KNOWN_TYPES[name] : type;
  if (known !== type) refuse(['type'], [known]);
  const ofType: SettingSchema = { type };
  values?.forEach((each, index) => {
    if (!isAllowedValue(ofType, each) || values.indexOf(each) !== index) refuse(['enum', String(index)]);
  });
  // With a list they would not be checked, and between texts there is no order.
  if (values || type !== 'integer') {
    if (minimum !== undefined) refuse(['minimum']);
    if (maximum !== undefined) refuse(['maximum']);
  } else if (minimum !== undefined && maximum !== undefined && minimum > maximum) {
    refuse(['maximum'], { minimum });
  }
  if (setting.default !== undefined && !isAllowedValue(setting, setting.default)) {
    refuse(['default'], allowedValues(setting));
  }
}

/** A price may follow from it, so every duration is a positive number of seconds. */
function checkDuration(duration: SettingSchema, refuse: Refuse): void {
  const isPossible = (seconds: unknown) => Number(seconds) >= 1 && Number(seconds) <= DURATION_SECONDS_MAX;
  const bounds = { minimum: 1, maximum: DURATION_SECONDS_MAX };
  if (duration.default === undefined) refuse(['default']);
  duration.enum?.forEach((seconds, index) => {
    if (!isPossible(seconds)) refuse(['enum', String(index)], bounds);
  });
  if (duration.enum) return;
  if (!isPossible(duration.minimum)) refuse(['minimum'], bounds);
  if (!isPossible(duration.maximum)) refuse(['maximum'], bounds);
}
