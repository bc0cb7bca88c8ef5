import { useEffect, useRef, useState } from 'react';
import { isCalm } from '../lib/calm.ts';
import { update, useLanguage, useStore, useWords } from '../store/store.ts';
import { Icon } from './Icon.tsx';

const COUNT_MS = 600;

/** The balance: it counts to its new value, and shows by how much it moved. A press tells where the credits went. */
export function Balance() {
  const words = useWords();
  const language = useLanguage();
  const credits = useStore((state) => state.credits);
  const { shown, move } = useMoving(credits);
  if (credits === null) return <span className="balance skeleton" aria-hidden="true" />;
  const change = new Intl.NumberFormat(language, { signDisplay: 'exceptZero' });
  return (
    <span className="balance-place">
      <button
        type="button"
        className="balance"
        id="balance"
        title={words.balanceOpen}
        aria-haspopup="dialog"
        onClick={() => update({ dialog: 'ledger' })}
      >
        <Icon name="coin" />
        <span className="unseen">{words.balance(credits)}</span>
        <span className="figure" aria-hidden="true">
          {shown}
        </span>
      </button>
      {move ? (
        <span className={move.by < 0 ? 'move' : 'move up'} key={move.key} aria-hidden="true">
          {change.format(move.by)}
        </span>
      ) : null}
      <span className="unseen" id="credits" role="status">
        {words.balance(credits)}
      </span>
    </span>
  );
}

type Move = { by: number; key: number };

/** The value on its way to the real one, and its last move. */
function useMoving(credits: number | null): { shown: number | null; move: Move | null } {
  const [shown, setShown] = useState(credits);
  const [move, setMove] = useState<Move | null>(null);
  const before = useRef(credits);
  useEffect(() => {
    const from = before.current;
    before.current = credits;
    if (from === null || credits === null || from === credits || isCalm()) {
      setShown(credits);
      return;
    }
    const startedAt = performance.now();
    setMove({ by: credits - from, key: startedAt });
    let frame = 0;
    const step = (now: number) => {
      const part = Math.min(1, (now - startedAt) / COUNT_MS);
      setShown(Math.round(from + (credits - from) * part));
      if (part < 1) frame = requestAnimationFrame(step);
    };
    frame = requestAnimationFrame(step);
    return () => cancelAnimationFrame(frame);
  }, [credits]);
  return { shown, move };
}
