import { startAnew } from '../store/live.ts';
import { update, useStore, useWords } from '../store/store.ts';
import { Dialog } from './Dialog.tsx';

/** Asks before this browser forgets a guest. */
export function NewGuestDialog() {
  const words = useWords();
  const isOpen = useStore((state) => state.dialog === 'new-guest');
  const onYes = () => {
    update({ dialog: null });
    startAnew();
    document.getElementById('prompt')?.focus();
  };
  return (
    <Dialog id="new-guest-dialog" title={words.newGuestTitle} isOpen={isOpen}>
      <p>{words.newGuestText}</p>
      <p className="dialog-actions">
        <button type="button" className="button" onClick={() => update({ dialog: null })}>
          {words.keep}
        </button>
        <button type="button" className="primary" onClick={onYes}>
          {words.newGuestYes}
        </button>
      </p>
    </Dialog>
  );
}
