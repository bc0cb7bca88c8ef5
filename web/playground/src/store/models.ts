/** Which model is chosen, with which settings, and what that costs. */
import type { Model } from '@rendio/client';
import { admitted, type Choice, type Choices, priceOf, type Setting, settingsOf } from '../lib/settings.ts';
import { remember } from '../lib/storage.ts';
import type { State } from './state.ts';
import { getState, update } from './store.ts';

export function setModel(modelId: string): void {
  remember('model', modelId);
  update({ modelId, refusal: null });
}

export function setChoice(modelId: string, name: string, value: Choice): void {
  const { choices } = getState();
  const changed = { ...choices, [modelId]: { ...choices[modelId], [name]: value } };
  remember('choices', changed);
  update({ choices: changed, refusal: null });
}

/** The chosen model, or the first that asks for nothing but words, or the first. */
export function selectModel({ models, modelId }: State): Model | undefined {
  const chosen = models?.find(({ id }) => id === modelId);
  return chosen ?? models?.find(({ requires_image }) => !requires_image) ?? models?.[0];
}

/** What the model lets people choose. */
export function settingsFor(model: Model): Setting[] {
  return settingsOf(model.settings_schema);
}

export function choicesFor(state: State, model: Model): Choices {
  return admitted(settingsFor(model), state.choices[model.id]);
}

/** In credits; null before there is a model. */
export function selectPrice(state: State): number | null {
  const model = selectModel(state);
  return model ? priceOf(model.pricing, choicesFor(state, model)) : null;
}
