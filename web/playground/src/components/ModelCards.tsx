import type { Model } from '@rendio/client';
import { useState } from 'react';
import { labelOf } from '../i18n/index.ts';
import { selectModel, setModel } from '../store/models.ts';
import { useMessages, useStore } from '../store/store.ts';
import { ErrorNote } from './ErrorNote.tsx';
import { Icon } from './Icon.tsx';

/** How many cards a wide screen shows at first. The style sheet (models.css) has the same number. */
const FOLDED_COUNT = 4;

/** The available models, as a group of radio buttons that look like cards. */
export function ModelCards() {
  const messages = useMessages();
  const models = useStore((state) => state.models);
  const chosen = useStore(selectModel);
  const [isFolded, setFolded] = useState(true);
  const error = useStore((state) => (state.refusal?.field === 'model_id' ? state.refusal.error : null));
  if (models === null) {
    return (
      <div className="field" aria-hidden="true">
        <span className="skeleton line" />
        <span className="skeleton card-shape" />
      </div>
    );
  }
  return (
    <fieldset className="field" id="models" tabIndex={-1} aria-describedby="model-error">
      <legend>{messages.model}</legend>
      <div className="models" data-many={models.length > 1} data-folded={isFolded}>
        {models.map((model) => (
          <Card key={model.id} model={model} isChosen={model.id === chosen?.id} />
        ))}
      </div>
      {isFolded && models.length > FOLDED_COUNT ? (
        <button type="button" id="all-models" className="quiet" onClick={() => setFolded(false)}>
          {messages.allModels(models.length)}
        </button>
      ) : null}
      {models.some((model) => model.is_simulated) ? (
        <p id="simulated" className="model-note" hidden={!chosen?.is_simulated}>
          {messages.simulatedWhy}
        </p>
      ) : null}
      <ErrorNote id="model-error" error={error} />
    </fieldset>
  );
}

function Card({ model, isChosen }: { model: Model; isChosen: boolean }) {
  const messages = useMessages();
  const { id, pricing, is_simulated } = model;
  const about = messages.descriptions[model.description] ?? model.description;
  const price = pricing.per_seconds
    ? messages.perSeconds(pricing.credits, pricing.per_seconds)
    : messages.perVideo(pricing.credits);
  return (
    <label className="model">
      <input
        type="radio"
        name="model"
        value={id}
        checked={isChosen}
        aria-labelledby={`name-${id}`}
        aria-describedby={`about-${id} price-${id}${is_simulated ? ' simulated' : ''}`}
        onChange={() => setModel(id)}
      />
      <span className="model-card">
        <span className="model-top">
          <strong id={`name-${id}`}>{model.name}</strong>
          <Badges model={model} />
        </span>
        <span className="model-about" id={`about-${id}`}>
          {about}
        </span>
        <span className="model-facts" id={`price-${id}`}>
          {price}
          <span className="model-category">{labelOf(messages.categories, model.category)}</span>
        </span>
      </span>
    </label>
  );
}

function Badges({ model }: { model: Model }) {
  const messages = useMessages();
  // Vendors put it into the model's name.
  const isFast = /\b(?:fast|turbo)\b/i.test(model.name);
  return (
    <span className="badges">
      {model.is_simulated ? <span className="badge outlined">{messages.simulated}</span> : null}
      {model.is_featured ? (
        <span className="badge lamp">
          <Icon name="spark" />
          {messages.featured}
        </span>
      ) : null}
      {isFast ? (
        <span className="badge">
          <Icon name="bolt" />
          {messages.fast}
        </span>
      ) : null}
      {model.requires_image ? (
        <span className="badge">
          <Icon name="image" />
          {messages.needsImage}
        </span>
      ) : null}
    </span>
  );
}
