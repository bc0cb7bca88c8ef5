import { startAsNewGuest } from '../store/live.ts';
import { update, useMessages, useStore } from '../store/store.ts';
import { Dialog } from './Dialog.tsx';

/** Asks for confirmation before this browser forgets the guest account. */
export function NewGuestDialog() {
  const messages = useMessages();
  const isOpen = useStore((state) => state.dialog === 'new-guest');
  const onYes = () => {
    update({ dialog: null });
    startAsNewGuest();
    document.getElementById('prompt')?.focus();
  };
  return (
    <Dialog id="new-guest-dialog" title={messages.newGuestTitle} isOpen={isOpen}>
      <p>{messages.newGuestText}</p>
      <p className="dialog-actions">
        <button type="button" className="button" onClick={() => update({ dialog: null })}>
          {messages.keep}
        </button>
        <button type="button" className="primary" onClick={onYes}>
          {messages.newGuestYes}
        </button>
      </p>
    </Dialog>
  );
}
