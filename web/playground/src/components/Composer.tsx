import type { FormEvent, KeyboardEvent } from 'react';
import { obstacleOf, pressGenerate } from '../store/compose.ts';
import { selectModel } from '../store/models.ts';
import { getState, useMessages, useStore } from '../store/store.ts';
import { ErrorNote } from './ErrorNote.tsx';
import { GenerateButton } from './GenerateButton.tsx';
import { Ideas } from './Ideas.tsx';
import { ImageField, useImageDrop } from './ImageField.tsx';
import { ModelCards } from './ModelCards.tsx';
import { PromptField } from './PromptField.tsx';
import { Settings } from './Settings.tsx';

/** The id of the field where the user can fix each obstacle. */
const FIELD_IDS = {
  prompt: 'prompt',
  image: 'image',
  credits: 'new-guest',
  model: 'models',
  connection: 'generate',
} as const;
/** Fields that show the server's refusals beside themselves. */
const FIELDS_WITH_ERRORS = /^(?:prompt|model_id|settings\..+)$/;

/** The form: prompt, image, model, settings and the button. */
export function Composer() {
  const messages = useMessages();
  const model = useStore(selectModel);
  const refusal = useStore((state) => state.refusal);
  useImageDrop();
  // When the image field is not shown, a refusal of the image appears beside the button.
  const hasOwnError = (field: string) =>
    FIELDS_WITH_ERRORS.test(field) || (field === 'image_url' && model?.requires_image === true);
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    if (pressGenerate() || getState().sending) return;
    const obstacle = obstacleOf(getState());
    if (obstacle) document.getElementById(FIELD_IDS[obstacle.field])?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit();
  };
  return (
    <form
      id="composer"
      className="composer"
      noValidate
      onSubmit={submit}
      onKeyDown={onKeyDown}
      aria-label={messages.ask}
    >
      <PromptField>{model?.requires_image ? <ImageField model={model} /> : null}</PromptField>
      <Ideas />
      <ModelCards />
      {model ? <Settings model={model} /> : null}
      <div className="go">
        <ErrorNote id="general-error" error={refusal && !hasOwnError(refusal.field) ? refusal.error : null} />
        <GenerateButton />
      </div>
    </form>
  );
}
