import type { FormEvent, KeyboardEvent } from 'react';
import { obstacleOf, press } from '../store/compose.ts';
import { selectModel } from '../store/models.ts';
import { getState, useStore, useWords } from '../store/store.ts';
import { ErrorNote } from './ErrorNote.tsx';
import { GenerateButton } from './GenerateButton.tsx';
import { Ideas } from './Ideas.tsx';
import { PictureField, usePictureDrop } from './ImageField.tsx';
import { ModelCards } from './ModelCards.tsx';
import { PromptField } from './PromptField.tsx';
import { Settings } from './Settings.tsx';

/** Where each thing that can be missing is mended. */
const PLACES = {
  prompt: 'prompt',
  picture: 'picture',
  credits: 'new-guest',
  model: 'models',
  connection: 'generate',
} as const;
/** Fields that show their refusals themselves. */
const OWN = /^(?:prompt|model_id|settings\..+)$/;

/** The form: what to make, for how much, and why not if not. */
export function Composer() {
  const words = useWords();
  const model = useStore(selectModel);
  const refusal = useStore((state) => state.refusal);
  usePictureDrop();
  // Where there is no field for it, a refusal of the picture is told beside the button.
  const isOwn = (field: string) => OWN.test(field) || (field === 'image_url' && model?.requires_image === true);
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    if (press() || getState().sending) return;
    const obstacle = obstacleOf(getState());
    if (obstacle) document.getElementById(PLACES[obstacle.field])?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit();
  };
  return (
    <form id="composer" className="composer" noValidate onSubmit={submit} onKeyDown={onKeyDown} aria-label={words.ask}>
      <PromptField>{model?.requires_image ? <PictureField model={model} /> : null}</PromptField>
      <Ideas />
      <ModelCards />
      {model ? <Settings model={model} /> : null}
      <div className="go">
        <ErrorNote id="general-error" error={refusal && !isOwn(refusal.field) ? refusal.error : null} />
        <GenerateButton />
      </div>
    </form>
  );
}
