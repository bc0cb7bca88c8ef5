import { ConnectionError, RendioError } from '@rendio/client';
import { useState } from 'react';
import { useWords } from '../store/store.ts';
import { Icon } from './Icon.tsx';

/** Why something failed, beside what caused it, with the id that support can look it up by. */
export function ErrorNote({ error, id }: { error: unknown; id?: string }) {
  const words = useWords();
  const isRefusal = error instanceof RendioError && !(error instanceof ConnectionError);
  const text = error instanceof ConnectionError ? words.lost : (isRefusal && error.message) || words.unexpected;
  return (
    <div className="error" role="alert" id={id} hidden={!error}>
      {error ? (
        <>
          <p>{text}</p>
          {isRefusal && error.requestId ? <Reference id={error.requestId} /> : null}
        </>
      ) : null}
    </div>
  );
}

function Reference({ id }: { id: string }) {
  const words = useWords();
  const [isCopied, setCopied] = useState(false);
  const copy = () =>
    navigator.clipboard.writeText(id).then(
      () => setCopied(true),
      () => {},
    );
  return (
    <p className="reference">
      {/* Without a clipboard (plain http) the id can still be selected. */}
      {words.quote} <code>{id}</code>
      {'clipboard' in navigator ? (
        <button
          type="button"
          className="icon-button small"
          aria-label={isCopied ? words.copied : words.copy}
          onClick={copy}
        >
          <Icon name={isCopied ? 'check' : 'copy'} />
        </button>
      ) : null}
    </p>
  );
}
