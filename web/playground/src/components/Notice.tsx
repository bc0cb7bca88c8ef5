import { retryNow } from '../store/live.ts';
import { useMessages, useStore } from '../store/store.ts';
import { ErrorNote } from './ErrorNote.tsx';
import { Icon } from './Icon.tsx';

/** A problem of the whole page: no connection, or the server refuses. Disappears when the problem is over. */
export function Notice() {
  const messages = useMessages();
  const isLost = useStore((state) => state.isDisconnected);
  const trouble = useStore((state) => state.pageError);
  const hasError = trouble !== null && !isLost;
  return (
    <div id="notice" role="status" className={isLost || hasError ? 'notice' : undefined}>
      {isLost ? (
        <p>
          <Icon name="offline" />
          <span>{navigator.onLine ? messages.connectionLost : messages.offline}</span>
        </p>
      ) : null}
      {hasError ? <ErrorNote error={trouble} /> : null}
      {isLost || hasError ? (
        <button type="button" className="button" onClick={retryNow}>
          {messages.retry}
        </button>
      ) : null}
    </div>
  );
}
