import { useEffect, useRef } from 'react';
import { continueAsGuest } from '../store/account.ts';
import { useMessages, useStore } from '../store/store.ts';
import { AccountError } from './AccountError.tsx';
import { AppleButton } from './AppleButton.tsx';

/** Says why there is no account any more, and how to go on. A guest account opens only when the user asks for it. */
export function SignedOut() {
  const messages = useMessages();
  const reason = useStore((state) => state.signedOut);
  const task = useStore((state) => state.accountTask);
  const text = useRef<HTMLParagraphElement>(null);
  const wasSignedOut = useRef(false);
  useEffect(() => {
    // What had the focus is gone: the dialog and the button that opened it, or the buttons here.
    if (document.activeElement === document.body && reason !== null) text.current?.focus();
    if (document.activeElement === document.body && reason === null && wasSignedOut.current)
      document.getElementById('prompt')?.focus();
    wasSignedOut.current = reason !== null;
  }, [reason]);
  return (
    <div id="signed-out" role="status" className={reason ? 'notice' : undefined}>
      {reason ? (
        <>
          <p ref={text} tabIndex={-1}>
            {messages.signedOut[reason] ?? messages.signedOut.signed_out}
          </p>
          <div className="notice-actions">
            <AppleButton />
            <button type="button" className="button" aria-disabled={task !== null} onClick={continueAsGuest}>
              {messages.continueAsGuest}
            </button>
          </div>
          <AccountError />
        </>
      ) : null}
    </div>
  );
}
