/** Reads a model's settings from its JSON Schema. An unknown keyword must not break the page. */
import { isRecord } from './storage.ts';

export type Choice = string | number | boolean;
export type Setting =
  | { name: string; kind: 'choice'; options: (string | number)[]; initial: Choice; title?: string }
  | { name: string; kind: 'range'; minimum: number; maximum: number; step: number; initial: number; title?: string }
  | { name: string; kind: 'switch'; initial: boolean; title?: string };
export type Choices = Record<string, Choice>;

/** The order in which the page shows settings, the most important first; JSON objects have none. */
const SETTINGS_ORDER = ['duration', 'aspect_ratio', 'resolution', 'fps', 'audio'];

/** The settings that the user can choose, in the order in which they are shown. */
export function settingsOf(schema: Record<string, unknown>): Setting[] {
  const properties = isRecord(schema.properties) ? schema.properties : {};
  const rank = ({ name }: Setting) => SETTINGS_ORDER.indexOf(name) + 1 || SETTINGS_ORDER.length + 1;
  return Object.entries(properties)
    .flatMap(([name, property]) => (isRecord(property) ? (readSetting(name, property) ?? []) : []))
    .sort((one, other) => rank(one) - rank(other));
}

function readSetting(name: string, property: Record<string, unknown>): Setting | undefined {
  const title = typeof property.title === 'string' ? { title: property.title } : {};
  if (Array.isArray(property.enum)) {
    const options = property.enum.filter((option) => typeof option === 'string' || typeof option === 'number');
    const initial = options.find((option) => option === property.default) ?? options[0];
    return initial === undefined ? undefined : { name, kind: 'choice', options, initial, ...title };
  }
  if (property.type === 'boolean') return { name, kind: 'switch', initial: property.default === true, ...title };
  const { minimum, maximum, multipleOf: step = 1 } = property;
  if (typeof minimum !== 'number' || typeof maximum !== 'number' || typeof step !== 'number') return undefined;
  const initial = typeof property.default === 'number' ? property.default : minimum;
  return { name, kind: 'range', minimum, maximum, step, initial, ...title };
}

/** The chosen values where they are valid; the settings' defaults elsewhere. */
export function validChoices(settings: Setting[], chosen: Record<string, unknown> = {}): Choices {
  return Object.fromEntries(settings.map((setting) => [setting.name, validChoice(setting, chosen[setting.name])]));
}

function validChoice(setting: Setting, value: unknown): Choice {
  if (setting.kind === 'choice') return setting.options.find((option) => option === value) ?? setting.initial;
  if (setting.kind === 'switch') return typeof value === 'boolean' ? value : setting.initial;
  const isWithin = typeof value === 'number' && value >= setting.minimum && value <= setting.maximum;
  return isWithin ? value : setting.initial;
}

/** The price in credits, calculated as the server does. */
export function priceOf(pricing: { credits: number; per_seconds: number | null }, chosen: Choices): number {
  const seconds = Number(chosen.duration ?? 0);
  return pricing.per_seconds ? Math.ceil(seconds / pricing.per_seconds) * pricing.credits : pricing.credits;
}
