/** The chosen model, its settings and its price. */
import type { Model } from '@rendio/client';
import { type Choice, type Choices, priceOf, type Setting, settingsOf, validChoices } from '../lib/settings.ts';
import { writeStored } from '../lib/storage.ts';
import type { State } from './state.ts';
import { getState, update } from './store.ts';

export function setModel(modelId: string): void {
  writeStored('model', modelId);
  update({ modelId, refusal: null });
}

export function setChoice(modelId: string, name: string, value: Choice): void {
  const { choices } = getState();
  const changed = { ...choices, [modelId]: { ...choices[modelId], [name]: value } };
  writeStored('choices', changed);
  update({ choices: changed, refusal: null });
}

/** The chosen model; else the first that needs no image; else the first. */
export function selectModel({ models, modelId }: State): Model | undefined {
  const chosen = models?.find(({ id }) => id === modelId);
  return chosen ?? models?.find(({ requires_image }) => !requires_image) ?? models?.[0];
}

/** The settings that the user can choose for this model. */
export function settingsFor(model: Model): Setting[] {
  return settingsOf(model.settings_schema);
}

export function choicesFor(state: State, model: Model): Choices {
  return validChoices(settingsFor(model), state.choices[model.id]);
}

/** The price in credits; null before the models are loaded. */
export function selectPrice(state: State): number | null {
  const model = selectModel(state);
  return model ? priceOf(model.pricing, choicesFor(state, model)) : null;
}
