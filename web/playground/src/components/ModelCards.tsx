import type { Model } from '@rendio/client';
import { useState } from 'react';
import { labelOf } from '../i18n/index.ts';
import { selectModel, setModel } from '../store/models.ts';
import { useStore, useWords } from '../store/store.ts';
import { ErrorNote } from './ErrorNote.tsx';
import { Icon } from './Icon.tsx';

/** On a wide screen, so many are shown at first; the style sheet counts the same. */
const FOLD_TO = 4;

/** The models on offer, as a group of radio buttons that look like cards. */
export function ModelCards() {
  const words = useWords();
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
      <legend>{words.model}</legend>
      <div className="models" data-many={models.length > 1} data-folded={isFolded}>
        {models.map((model) => (
          <Card key={model.id} model={model} isChosen={model.id === chosen?.id} />
        ))}
      </div>
      {isFolded && models.length > FOLD_TO ? (
        <button type="button" id="all-models" className="quiet" onClick={() => setFolded(false)}>
          {words.allModels(models.length)}
        </button>
      ) : null}
      {models.some((model) => model.is_simulated) ? (
        <p id="simulated" className="model-note" hidden={!chosen?.is_simulated}>
          {words.simulatedWhy}
        </p>
      ) : null}
      <ErrorNote id="model-error" error={error} />
    </fieldset>
  );
}

function Card({ model, isChosen }: { model: Model; isChosen: boolean }) {
  const words = useWords();
  const { id, pricing, is_simulated } = model;
  const about = words.descriptions[model.description] ?? model.description;
  const price = pricing.per_seconds
    ? words.perSeconds(pricing.credits, pricing.per_seconds)
    : words.perVideo(pricing.credits);
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
          <span className="model-category">{labelOf(words.categories, model.category)}</span>
        </span>
      </span>
    </label>
  );
}

function Badges({ model }: { model: Model }) {
  const words = useWords();
  // Vendors say it in the name.
  const isFast = /\b(?:fast|turbo)\b/i.test(model.name);
  return (
    <span className="badges">
      {model.is_simulated ? <span className="badge outlined">{words.simulated}</span> : null}
      {model.is_featured ? (
        <span className="badge lamp">
          <Icon name="spark" />
          {words.featured}
        </span>
      ) : null}
      {isFast ? (
        <span className="badge">
          <Icon name="bolt" />
          {words.fast}
        </span>
      ) : null}
      {model.requires_image ? (
        <span className="badge">
          <Icon name="picture" />
          {words.needsPicture}
        </span>
      ) : null}
    </span>
  );
}
