import { useEffect } from 'react';
import { isReady, obstacleOf } from '../store/compose.ts';
import { selectPrice } from '../store/models.ts';
import { update, useMessages, useStore } from '../store/store.ts';

/** The button with the price; below it, why it cannot be used now. */
export function GenerateButton() {
  const messages = useMessages();
  const price = useStore(selectPrice);
  const credits = useStore((state) => state.credits);
  const sending = useStore((state) => state.sending);
  const ready = useStore(isReady);
  const isTouched = useStore((state) => state.isTouched);
  const reason = useStore((state) => (state.sending ? '' : (obstacleOf(state)?.text ?? '')));
  const isUsable = price !== null && credits !== null;
  useEffect(() => {
    // For measurements: from here on the button works.
    if (isUsable) performance.mark('rendio:interactive');
  }, [isUsable]);
  const cannotAfford = price !== null && credits !== null && credits < price;
  return (
    <>
      <button id="generate" className="primary" type="submit" aria-disabled={!ready} aria-describedby="reason">
        {sending ? <span className="spinner" aria-hidden="true" /> : null}
        <span>{sending ? messages[sending] : messages.generate}</span>
        {price !== null && !sending ? <span className="price">{messages.credits(price)}</span> : null}
      </button>
      <p id="reason" className={cannotAfford || isTouched ? 'reason urgent' : 'reason'}>
        {reason}
      </p>
      {cannotAfford ? (
        <p className="shortage">
          <button type="button" className="button" aria-haspopup="dialog" onClick={() => update({ dialog: 'shop' })}>
            {messages.getCredits}
          </button>
          <button id="new-guest" type="button" className="quiet" onClick={() => update({ dialog: 'new-guest' })}>
            {messages.newGuest}
          </button>
        </p>
      ) : null}
    </>
  );
}
