import { useEffect, useState } from 'react';
import { deleteAccount } from '../store/account.ts';
import { update, useMessages, useStore } from '../store/store.ts';
import { AccountError } from './AccountError.tsx';
import { Dialog } from './Dialog.tsx';

/** Says what a deletion takes away, and asks twice: for a tick, then for the button. */
export function DeleteAccountDialog() {
  const messages = useMessages();
  const isOpen = useStore((state) => state.dialog === 'delete-account');
  const task = useStore((state) => state.accountTask);
  const credits = useStore((state) => state.credits);
  const { profile, videos } = useStore((state) => state.account);
  const [isConfirmed, setConfirmed] = useState(false);
  useEffect(() => {
    if (!isOpen) return;
    setConfirmed(false);
    update({ accountError: null, accountNote: '' });
  }, [isOpen]);
  const isDeleting = task === 'deleting';
  const mayDelete = isConfirmed && task === null;
  return (
    <Dialog id="delete-account" title={messages.deleteTitle} isOpen={isOpen}>
      <div>
        <p>{messages.deleteLost}</p>
        <ul className="lost">
          {credits !== null && credits > 0 ? <li>{messages.credits(credits)}</li> : null}
          {videos ? <li>{messages.films(videos)}</li> : null}
          <li>{messages.deleteImages}</li>
          {profile?.is_guest === false ? <li>{messages.deleteApple}</li> : null}
          <li>{messages.deleteSessions}</li>
        </ul>
      </div>
      <p>{messages.deleteAfter}</p>
      <label className="confirm" htmlFor="delete-confirm">
        <input
          type="checkbox"
          id="delete-confirm"
          checked={isConfirmed}
          onChange={({ target }) => setConfirmed(target.checked)}
        />
        <span>{messages.deleteConfirm}</span>
      </label>
      <AccountError />
      <p className="dialog-actions">
        <button type="button" className="button" onClick={() => update({ dialog: 'account' })}>
          {messages.keep}
        </button>
        <button
          type="button"
          className="danger"
          id="delete-yes"
          aria-disabled={!mayDelete}
          onClick={() => mayDelete && deleteAccount()}
        >
          {isDeleting ? <span className="spinner" aria-hidden="true" /> : null}
          {isDeleting ? messages.deleting : messages.deleteYes}
        </button>
      </p>
    </Dialog>
  );
}
