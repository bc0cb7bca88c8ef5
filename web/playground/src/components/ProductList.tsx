import type { Product } from '@rendio/client';
import { buyProduct, shopKind } from '../store/shop.ts';
import { useLanguage, useMessages, useStore } from '../store/store.ts';
import { Icon } from './Icon.tsx';
import { ShopNote } from './ShopNote.tsx';

/** What can be bought on this page. */
export function ProductList() {
  const messages = useMessages();
  const products = useStore((state) => state.shop.products);
  const isWebShop = useStore((state) => shopKind(state) === 'web');
  const onSale = products?.filter(({ web_price }) => web_price || !isWebShop) ?? [];
  return (
    <section aria-labelledby="products-title">
      <h3 className="visually-hidden" id="products-title">
        {messages.products}
      </h3>
      {onSale.length === 0 ? <p>{messages.noProducts}</p> : null}
      <ul className="products" id="products">
        {onSale.map((product) => (
          <ProductRow product={product} key={product.product_id} />
        ))}
      </ul>
      <ShopNote kind="buy" />
    </section>
  );
}

function ProductRow({ product }: { product: Product }) {
  const messages = useMessages();
  const language = useLanguage();
  const task = useStore((state) => state.shopTask);
  const isBuying = task?.kind === 'buy' && task.id === product.product_id;
  const amount = messages.credits(product.credits);
  const price = product.web_price ? priceText(product.web_price, language) : null;
  const name = nameBeside(product);
  return (
    <li className="split">
      <div>
        <p className="product-credits">
          <Icon name="coin" />
          {amount}
        </p>
        {name ? <p className="hint">{name}</p> : null}
      </div>
      <button
        type="button"
        className="primary"
        aria-label={messages.buyProduct([amount, name, price].filter(Boolean).join(', '))}
        aria-disabled={task !== null}
        onClick={() => buyProduct(product)}
      >
        {isBuying ? <span className="spinner" aria-hidden="true" /> : null}
        {isBuying ? messages.buying : (price ?? messages.buy)}
      </button>
    </li>
  );
}

/** The product's name without the number of credits, which stands beside it; empty when nothing else is in it. */
function nameBeside({ display_name, credits }: Product): string {
  return display_name.replace(new RegExp(`(^|[:,–-]?\\s)${credits} credits?$`, 'i'), '').trim();
}

/** The price as people of this language write it. */
function priceText({ amount, currency }: NonNullable<Product['web_price']>, language: string): string {
  return new Intl.NumberFormat(language, { style: 'currency', currency }).format(amount);
}
