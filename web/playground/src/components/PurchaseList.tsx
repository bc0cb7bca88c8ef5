import { useRef } from 'react';
import type { Purchase } from '../lib/app-store.ts';
import { refundPurchase } from '../store/shop.ts';
import { useLanguage, useMessages, useStore } from '../store/store.ts';
import { ShopNote } from './ShopNote.tsx';

/** What was bought in the simulated App Store, with the refunds that only Apple can give elsewhere. */
export function PurchaseList() {
  const messages = useMessages();
  const purchases = useStore((state) => state.shop.purchases);
  const title = useRef<HTMLHeadingElement>(null);
  if (!purchases?.length) return null;
  /** The pressed button may disappear: the focus moves to the title. */
  const refundThen = async (refunding: Promise<void>) => {
    await refunding;
    if (document.activeElement === document.body || !document.activeElement?.isConnected) title.current?.focus();
  };
  return (
    <section className="account-part" aria-labelledby="purchases-title">
      <h3 id="purchases-title" ref={title} tabIndex={-1}>
        {messages.purchases}
      </h3>
      <ShopNote kind="refund" isHidden />
      <ul className="purchases" id="purchases">
        {purchases.map((purchase) => (
          <PurchaseRow
            key={purchase.transactionId}
            purchase={purchase}
            onRefund={(percentage) => refundThen(refundPurchase(purchase.transactionId, percentage))}
          />
        ))}
      </ul>
    </section>
  );
}

type RowProps = { purchase: Purchase; onRefund: (percentage: 50 | 100) => void };

function PurchaseRow({ purchase, onRefund }: RowProps) {
  const messages = useMessages();
  const language = useLanguage();
  const task = useStore((state) => state.shopTask);
  const product = useStore((state) => state.shop.products?.find(({ product_id: id }) => id === purchase.productId));
  const format = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  const time = format.format(new Date(purchase.purchasedAt));
  const name = product ? messages.credits(product.credits) : purchase.productId;
  const refunds = [
    { percentage: 50, text: messages.refundHalf },
    { percentage: 100, text: messages.refundAll },
  ] as const;
  return (
    <li className="split">
      <div>
        <p>{name}</p>
        <p className="hint">
          <time dateTime={purchase.purchasedAt}>{time}</time>
        </p>
        <p className="refund-state">{refundText(purchase.refundedPercentage, messages)}</p>
      </div>
      <div className="refund-buttons">
        {refunds
          .filter(({ percentage }) => percentage > purchase.refundedPercentage)
          .map(({ percentage, text }) => (
            <button
              key={percentage}
              type="button"
              className="button"
              aria-label={`${text}: ${messages.boughtAt(name, time)}`}
              aria-disabled={task !== null}
              onClick={() => onRefund(percentage)}
            >
              {task?.id === `${purchase.transactionId} ${percentage}` ? (
                <span className="spinner" aria-hidden="true" />
              ) : null}
              {text}
            </button>
          ))}
      </div>
    </li>
  );
}

type RefundTexts = Pick<ReturnType<typeof useMessages>, 'refunded' | 'refundedPart'>;

function refundText(percentage: number, messages: RefundTexts): string {
  if (percentage === 0) return '';
  return percentage === 100 ? messages.refunded : messages.refundedPart(percentage);
}
