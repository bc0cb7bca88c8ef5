import { useEffect } from 'react';
import { loadShop, shopKind } from '../store/shop.ts';
import { update, useMessages, useStore } from '../store/store.ts';
import { CodeForm } from './CodeForm.tsx';
import { Dialog } from './Dialog.tsx';
import { ErrorNote } from './ErrorNote.tsx';
import { ProductList } from './ProductList.tsx';
import { PurchaseList } from './PurchaseList.tsx';

/** Where credits come from: products, where this page sells them, and codes. */
export function ShopDialog() {
  const messages = useMessages();
  const isOpen = useStore((state) => state.dialog === 'shop');
  const kind = useStore(shopKind);
  const credits = useStore((state) => state.credits);
  const error = useStore((state) => state.shop.error);
  const isSignedOut = useStore((state) => state.signedOut !== null);
  useEffect(() => {
    if (!isOpen) return update({ shopCheckout: null });
    update({ shopError: null, shopNote: null });
    loadShop();
  }, [isOpen]);
  return (
    <Dialog id="shop" title={messages.getCredits} isOpen={isOpen && !isSignedOut}>
      <p className="dialog-figure">{credits === null ? '' : messages.balance(credits)}</p>
      <CheckoutNote />
      {kind === null && !error ? <p className="skeleton line" aria-hidden="true" /> : null}
      {kind === null ? null : (
        <p className="shop-kind" data-kind={kind}>
          {messages.shopKinds[kind]}
        </p>
      )}
      <ErrorNote error={error} />
      {error ? (
        <button type="button" className="button" onClick={loadShop}>
          {messages.retry}
        </button>
      ) : null}
      {kind === 'web' || kind === 'simulated' ? <ProductList /> : null}
      {kind === 'simulated' ? <PurchaseList /> : null}
      {kind === null ? null : <CodeForm />}
    </Dialog>
  );
}

/** What has become of the checkout that the user comes back from. */
function CheckoutNote() {
  const messages = useMessages();
  const outcome = useStore((state) => state.shopCheckout);
  if (!outcome) return null;
  return (
    <p className={outcome === 'success' ? 'shop-note' : undefined} id="checkout-note" role="status">
      {messages.checkouts[outcome]}
    </p>
  );
}
