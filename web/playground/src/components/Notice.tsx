import { hurry } from '../store/live.ts';
import { useStore, useWords } from '../store/store.ts';
import { ErrorNote } from './ErrorNote.tsx';
import { Icon } from './Icon.tsx';

/** What concerns the whole page: no connection, or no way in. It says what to do, and goes by itself. */
export function Notice() {
  const words = useWords();
  const isLost = useStore((state) => state.isLost);
  const trouble = useStore((state) => state.trouble);
  const isTrouble = trouble !== null && !isLost;
  return (
    <div id="notice" role="status" className={isLost || isTrouble ? 'notice' : undefined}>
      {isLost ? (
        <p>
          <Icon name="offline" />
          <span>{navigator.onLine ? words.lost : words.offline}</span>
        </p>
      ) : null}
      {isTrouble ? <ErrorNote error={trouble} /> : null}
      {isLost || isTrouble ? (
        <button type="button" className="button" onClick={hurry}>
          {words.retry}
        </button>
      ) : null}
    </div>
  );
}
