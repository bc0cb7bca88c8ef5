import { ConnectionError, RendioError } from '@rendio/client';
import { useState } from 'react';
import { useMessages } from '../store/store.ts';
import { Icon } from './Icon.tsx';

/** An error beside what caused it, with the request id to quote to support. */
export function ErrorNote({ error, id }: { error: unknown; id?: string }) {
  const messages = useMessages();
  const isRefusal = error instanceof RendioError && !(error instanceof ConnectionError);
  const text =
    error instanceof ConnectionError ? messages.connectionLost : (isRefusal && error.message) || messages.unexpected;
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
  const messages = useMessages();
  const [isCopied, setCopied] = useState(false);
  const copy = () =>
    navigator.clipboard.writeText(id).then(
      () => setCopied(true),
      () => {},
    );
  return (
    <p className="reference">
      {/* Over plain http there is no clipboard, but the id can be selected. */}
      {messages.errorReference} <code>{id}</code>
      {'clipboard' in navigator ? (
        <button
          type="button"
          className="icon-button small"
          aria-label={isCopied ? messages.copied : messages.copy}
          onClick={copy}
        >
          <Icon name={isCopied ? 'check' : 'copy'} />
        </button>
      ) : null}
    </p>
  );
}
