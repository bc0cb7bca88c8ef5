import type { ReactNode } from 'react';
import { promptLength, setPrompt } from '../store/compose.ts';
import { selectModel } from '../store/models.ts';
import { useStore, useWords } from '../store/store.ts';
import { ErrorNote } from './ErrorNote.tsx';

/** From this share of what is allowed on, the count is shown. */
const COUNT_FROM = 0.8;

/** The question, what is given with its answer, and the answer. */
export function PromptField({ children }: { children: ReactNode }) {
  const words = useWords();
  const prompt = useStore((state) => state.prompt);
  const length = useStore(promptLength);
  const max = useStore((state) => selectModel(state)?.prompt_max ?? Number.POSITIVE_INFINITY);
  const error = useStore((state) => (state.refusal?.field === 'prompt' ? state.refusal.error : null));
  const isOfPicture = useStore((state) => selectModel(state)?.requires_image === true);
  const isNear = length > max * COUNT_FROM;
  return (
    <div className="field">
      <h1>
        <label htmlFor="prompt">{isOfPicture ? words.askOfPicture : words.ask}</label>
      </h1>
      {children}
      <div className="prompt-box">
        <textarea
          id="prompt"
          value={prompt}
          placeholder={isOfPicture ? words.placeholderOfPicture : words.placeholder}
          rows={3}
          aria-describedby="prompt-error prompt-count reason"
          aria-invalid={length > max || error !== null}
          onChange={({ target }) => setPrompt(target.value)}
        />
        <p id="prompt-count" className={length > max ? 'count over' : 'count'} hidden={!isNear}>
          {isNear ? words.counter(length, max) : ''}
        </p>
      </div>
      <ErrorNote id="prompt-error" error={error} />
    </div>
  );
}
