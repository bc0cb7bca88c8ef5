import { type ReactNode, useEffect, useRef } from 'react';
import { update, useMessages } from '../store/store.ts';
import { Icon } from './Icon.tsx';

type Props = { id: string; title: string; isOpen: boolean; children: ReactNode };

/** A modal dialog: the browser keeps the focus inside and restores it afterwards; Escape closes it. */
export function Dialog({ id, title, isOpen, children }: Props) {
  const messages = useMessages();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (isOpen && !element?.open) element?.showModal();
    if (!isOpen) element?.close();
  }, [isOpen]);
  const close = () => update({ dialog: null });
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click outside the dialog; the keyboard has Escape
    <dialog
      ref={dialog}
      id={id}
      aria-labelledby={`${id}-title`}
      // Also when another dialog takes its place.
      onClose={() => isOpen && close()}
      onClick={({ target }) => target === dialog.current && close()}
    >
      {isOpen ? (
        <div className="dialog">
          <div className="dialog-top">
            <h2 id={`${id}-title`}>{title}</h2>
            <button type="button" className="icon-button" aria-label={messages.close} onClick={close}>
              <Icon name="close" />
            </button>
          </div>
          {children}
        </div>
      ) : null}
    </dialog>
  );
}
