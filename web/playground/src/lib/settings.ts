/** A model's settings as its JSON Schema describes them, read with care: an unknown keyword must not break the page. */
import { isRecord } from './storage.ts';

export type Choice = string | number | boolean;
export type Setting =
  | { name: string; kind: 'choice'; options: (string | number)[]; initial: Choice; title?: string }
  | { name: string; kind: 'range'; minimum: number; maximum: number; step: number; initial: number; title?: string }
  | { name: string; kind: 'switch'; initial: boolean; title?: string };
export type Choices = Record<string, Choice>;

/** What matters most comes first; JSON keeps no order. */
const ORDER = ['duration', 'aspect_ratio', 'resolution', 'fps', 'audio'];

/** The settings that people can choose, in the order in which they are shown. */
export function settingsOf(schema: Record<string, unknown>): Setting[] {
  const properties = isRecord(schema.properties) ? schema.properties : {};
  const rank = ({ name }: Setting) => ORDER.indexOf(name) + 1 || ORDER.length + 1;
  return Object.entries(properties)
    .flatMap(([name, property]) => (isRecord(property) ? (read(name, property) ?? []) : []))
    .sort((one, other) => rank(one) - rank(other));
}

function read(name: string, property: Record<string, unknown>): Setting | undefined {
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

/** The chosen values that these settings admit; their defaults for the others. */
export function admitted(settings: Setting[], chosen: Record<string, unknown> = {}): Choices {
  return Object.fromEntries(settings.map((setting) => [setting.name, admit(setting, chosen[setting.name])]));
}

function admit(setting: Setting, value: unknown): Choice {
  if (setting.kind === 'choice') return setting.options.find((option) => option === value) ?? setting.initial;
  if (setting.kind === 'switch') return typeof value === 'boolean' ? value : setting.initial;
  const isWithin = typeof value === 'number' && value >= setting.minimum && value <= setting.maximum;
  return isWithin ? value : setting.initial;
}

/** In credits, as the server will count it. */
export function priceOf(pricing: { credits: number; per_seconds: number | null }, chosen: Choices): number {
  const seconds = Number(chosen.duration ?? 0);
  return pricing.per_seconds ? Math.ceil(seconds / pricing.per_seconds) * pricing.credits : pricing.credits;
}
