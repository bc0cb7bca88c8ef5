import { signIn } from '../store/account.ts';
import { useMessages, useStore } from '../store/store.ts';

/** Signs in at Apple's page. Not shown where this page cannot ask Apple. */
export function AppleButton({ describedBy }: { describedBy?: string }) {
  const messages = useMessages();
  const appleUrl = useStore((state) => state.appleUrl);
  const task = useStore((state) => state.accountTask);
  if (appleUrl === null) return null;
  const texts = { asking: messages.asking, merging: messages.mergingGuest } as const;
  const text = task === 'asking' || task === 'merging' ? texts[task] : null;
  return (
    <button
      type="button"
      className="apple-button"
      id="apple-button"
      aria-describedby={describedBy}
      aria-disabled={task !== null}
      onClick={signIn}
    >
      {text ? <span className="spinner" aria-hidden="true" /> : null}
      {text ?? messages.signIn}
    </button>
  );
}
