import { promptLength, selectModel, setPrompt } from '../store/compose.ts';
import { useStore, useWords } from '../store/store.ts';
import { ErrorNote } from './ErrorNote.tsx';

/** From this share of what is allowed on, the count is shown. */
const COUNT_FROM = 0.8;

export function PromptField() {
  const words = useWords();
  const prompt = useStore((state) => state.prompt);
  const length = useStore(promptLength);
  const max = useStore((state) => selectModel(state)?.prompt_max ?? Number.POSITIVE_INFINITY);
  const error = useStore((state) => (state.refusal?.field === 'prompt' ? state.refusal.error : null));
  const isNear = length > max * COUNT_FROM;
  return (
    <div className="field">
      <h1>
        <label htmlFor="prompt">{words.ask}</label>
      </h1>
      <div className="prompt-box">
        <textarea
          id="prompt"
          value={prompt}
          placeholder={words.placeholder}
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
