import { useEffect } from 'react';
import { isReady, obstacleOf } from '../store/compose.ts';
import { selectPrice } from '../store/models.ts';
import { update, useStore, useWords } from '../store/store.ts';

/** The button with the price on it; beneath it, why it does nothing now. */
export function GenerateButton() {
  const words = useWords();
  const price = useStore(selectPrice);
  const credits = useStore((state) => state.credits);
  const sending = useStore((state) => state.sending);
  const ready = useStore(isReady);
  const isTouched = useStore((state) => state.isTouched);
  const reason = useStore((state) => (state.sending ? '' : (obstacleOf(state)?.text ?? '')));
  const isUsable = price !== null && credits !== null;
  useEffect(() => {
    // For whoever measures: from here on a press is heard.
    if (isUsable) performance.mark('rendio:interactive');
  }, [isUsable]);
  const isPoor = price !== null && credits !== null && credits < price;
  return (
    <>
      <button id="generate" className="primary" type="submit" aria-disabled={!ready} aria-describedby="reason">
        {sending ? <span className="spinner" aria-hidden="true" /> : null}
        <span>{sending ? words[sending] : words.generate}</span>
        {price !== null && !sending ? <span className="price">{words.credits(price)}</span> : null}
      </button>
      <p id="reason" className={isPoor || isTouched ? 'reason urgent' : 'reason'}>
        {reason}
      </p>
      {isPoor ? (
        <button id="new-guest" type="button" className="quiet" onClick={() => update({ dialog: 'new-guest' })}>
          {words.newGuest}
        </button>
      ) : null}
    </>
  );
}
