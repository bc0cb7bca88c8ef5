import { useEffect, useRef } from 'react';
import { flushSync } from 'react-dom';
import { runClock, stopClock, undo } from '../store/removal.ts';
import { useStore, useWords } from '../store/store.ts';

/** Says that something was deleted and brings it back; its time stands still while somebody is at it. */
export function UndoBar() {
  const words = useWords();
  const count = useStore((state) => state.undoable.length);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // The pressed button went with its video: the focus goes to where it can be brought back.
    if (count > 0 && document.activeElement === document.body) button.current?.focus();
  }, [count]);
  const onUndo = () => {
    // At once, so that there is something to focus on.
    flushSync(undo);
    document.querySelector<HTMLElement>('#history .open')?.focus();
  };
  return (
    <div className="undo-place" role="status">
      {count > 0 ? (
        <fieldset
          className="undo"
          id="undo"
          onPointerEnter={stopClock}
          onPointerLeave={runClock}
          // A mouse leaves the focus behind; who came by the keyboard is at it.
          onFocus={({ target }) => target.matches(':focus-visible') && stopClock()}
          onBlur={runClock}
        >
          <legend className="unseen">{words.undo}</legend>
          <span>{words.removed(count)}</span>
          <button type="button" ref={button} onClick={onUndo}>
            {words.undo}
          </button>
        </fieldset>
      ) : null}
    </div>
  );
}
