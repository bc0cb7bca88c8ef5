import type { ReactNode } from 'react';
import { promptLength, setPrompt } from '../store/compose.ts';
import { selectModel } from '../store/models.ts';
import { useMessages, useStore } from '../store/store.ts';
import { ErrorNote } from './ErrorNote.tsx';

/** The character count is shown from this share of the maximum. */
const COUNT_FROM = 0.8;

/** The heading, the image field (as children), and the prompt. */
export function PromptField({ children }: { children: ReactNode }) {
  const messages = useMessages();
  const prompt = useStore((state) => state.prompt);
  const length = useStore(promptLength);
  const max = useStore((state) => selectModel(state)?.prompt_max ?? Number.POSITIVE_INFINITY);
  const error = useStore((state) => (state.refusal?.field === 'prompt' ? state.refusal.error : null));
  const needsImage = useStore((state) => selectModel(state)?.requires_image === true);
  const isNear = length > max * COUNT_FROM;
  return (
    <div className="field">
      <h1>
        <label htmlFor="prompt">{needsImage ? messages.askAboutImage : messages.ask}</label>
      </h1>
      {children}
      <div className="prompt-box">
        <textarea
          id="prompt"
          value={prompt}
          placeholder={needsImage ? messages.imagePlaceholder : messages.placeholder}
          rows={3}
          aria-describedby="prompt-error prompt-count reason"
          aria-invalid={length > max || error !== null}
          onChange={({ target }) => setPrompt(target.value)}
        />
        <p id="prompt-count" className={length > max ? 'count over' : 'count'} hidden={!isNear}>
          {isNear ? messages.counter(length, max) : ''}
        </p>
      </div>
      <ErrorNote id="prompt-error" error={error} />
    </div>
  );
}
