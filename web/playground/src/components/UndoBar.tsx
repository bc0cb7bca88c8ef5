import { useEffect, useRef } from 'react';
import { flushSync } from 'react-dom';
import { startTimer, stopTimer, undo } from '../store/removal.ts';
import { useMessages, useStore } from '../store/store.ts';

/** Says that videos were deleted and offers undo. The timer stops while the pointer or the keyboard focus is on it. */
export function UndoBar() {
  const messages = useMessages();
  const count = useStore((state) => state.undoable.length);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // The pressed button has disappeared with its video: move the focus to the undo button.
    if (count > 0 && document.activeElement === document.body) button.current?.focus();
  }, [count]);
  const onUndo = () => {
    // Render at once, so that the card exists when it gets the focus.
    flushSync(undo);
    document.querySelector<HTMLElement>('#history .open')?.focus();
  };
  return (
    <div className="undo-wrapper" role="status">
      {count > 0 ? (
        <fieldset
          className="undo"
          id="undo"
          onPointerEnter={stopTimer}
          onPointerLeave={startTimer}
          // A mouse click leaves the focus here too; only the keyboard's focus stops the timer.
          onFocus={({ target }) => target.matches(':focus-visible') && stopTimer()}
          onBlur={startTimer}
        >
          <legend className="visually-hidden">{messages.undo}</legend>
          <span>{messages.removed(count)}</span>
          <button type="button" ref={button} onClick={onUndo}>
            {messages.undo}
          </button>
        </fieldset>
      ) : null}
    </div>
  );
}
