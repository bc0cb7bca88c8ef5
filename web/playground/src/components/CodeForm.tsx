import { type SubmitEvent, useState } from 'react';
import { CODE_LENGTH_MIN, redeemCode } from '../store/shop.ts';
import { useMessages, useStore } from '../store/store.ts';
import { ShopNote } from './ShopNote.tsx';

/** Redeems a code. */
export function CodeForm() {
  const messages = useMessages();
  const task = useStore((state) => state.shopTask);
  const isRefused = useStore((state) => state.shopError?.kind === 'redeem');
  const [code, setCode] = useState('');
  const [isTooShort, setTooShort] = useState(false);
  const isRedeeming = task?.kind === 'redeem';
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    const isShort = (code.match(/[\p{L}\p{N}]/gu) ?? []).length < CODE_LENGTH_MIN;
    setTooShort(isShort);
    if (!isShort && !task && (await redeemCode(code))) setCode('');
  };
  return (
    <form className="account-part code-form" id="code-form" onSubmit={onSubmit} noValidate>
      <label htmlFor="code">{messages.code}</label>
      <div className="code-line">
        <input
          id="code"
          value={code}
          maxLength={100}
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          aria-describedby="code-hint code-short redeem-error"
          aria-invalid={isTooShort || isRefused}
          onChange={({ target }) => {
            setCode(target.value);
            setTooShort(false);
          }}
        />
        <button type="submit" className="button" aria-disabled={task !== null}>
          {isRedeeming ? <span className="spinner" aria-hidden="true" /> : null}
          {isRedeeming ? messages.redeeming : messages.redeem}
        </button>
      </div>
      <p className="hint" id="code-hint">
        {messages.codeHint}
      </p>
      <p className="error" id="code-short" role="alert">
        {isTooShort ? messages.codeTooShort(CODE_LENGTH_MIN) : ''}
      </p>
      <ShopNote kind="redeem" />
    </form>
  );
}
