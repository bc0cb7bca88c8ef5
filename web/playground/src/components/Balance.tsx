import { useEffect, useRef, useState } from 'react';
import { prefersReducedMotion } from '../lib/reduced-motion.ts';
import { update, useLanguage, useMessages, useStore } from '../store/store.ts';
import { Icon } from './Icon.tsx';

const COUNT_MS = 600;

/** The balance. It counts up or down to a new value and shows the change. Pressing it opens the credit history. */
export function Balance() {
  const messages = useMessages();
  const language = useLanguage();
  const credits = useStore((state) => state.credits);
  const isSignedOut = useStore((state) => state.signedOut !== null);
  const { shown, change } = useAnimatedBalance(credits);
  if (isSignedOut) return null;
  if (credits === null) return <span className="balance skeleton" aria-hidden="true" />;
  const signed = new Intl.NumberFormat(language, { signDisplay: 'exceptZero' });
  return (
    <span className="balance-wrapper">
      <button
        type="button"
        className="balance"
        id="balance"
        title={messages.balanceOpen}
        aria-haspopup="dialog"
        onClick={() => update({ dialog: 'ledger' })}
      >
        <Icon name="coin" />
        <span className="visually-hidden">{messages.balance(credits)}</span>
        <span className="figure" aria-hidden="true">
          {shown}
        </span>
      </button>
      {change ? (
        <span className={change.by < 0 ? 'balance-change' : 'balance-change up'} key={change.key} aria-hidden="true">
          {signed.format(change.by)}
        </span>
      ) : null}
      <span className="visually-hidden" id="credits" role="status">
        {messages.balance(credits)}
      </span>
    </span>
  );
}

type BalanceChange = { by: number; key: number };

/** The animated value, and the last change. */
function useAnimatedBalance(credits: number | null): { shown: number | null; change: BalanceChange | null } {
  const [shown, setShown] = useState(credits);
  const [change, setChange] = useState<BalanceChange | null>(null);
  const before = useRef(credits);
  useEffect(() => {
    const from = before.current;
    before.current = credits;
    if (from === null || credits === null || from === credits || prefersReducedMotion()) {
      setShown(credits);
      return;
    }
    const startedAt = performance.now();
    setChange({ by: credits - from, key: startedAt });
    let frame = 0;
    const step = (now: number) => {
      const part = Math.min(1, (now - startedAt) / COUNT_MS);
      setShown(Math.round(from + (credits - from) * part));
      if (part < 1) frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
    return () => cancelAnimationFrame(frame);
  }, [credits]);
  return { shown, change };
}
