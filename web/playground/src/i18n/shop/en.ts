import { pluralIn } from '../plural.ts';

const n = pluralIn('en');
const credits = (count: number) => n(count, { one: '# credit', other: '# credits' });

/** What the shop says. The other languages must have the same keys. */
export const shop = {
  getCredits: 'Get credits',
  debt: (count: number) =>
    `Your balance is ${credits(count)} below zero, because credits of a refunded purchase had been spent.`,
  shopKinds: {
    simulated: 'Simulated App Store: no money moves.',
    web: 'You pay on Stripe’s page and then come back here.',
    app: 'Credits are bought in the app. Where you are signed in to the same account, they appear here at once.',
  },
  products: 'Credits on sale',
  noProducts: 'Nothing is on sale right now.',
  buy: 'Buy',
  buying: 'Buying…',
  buyProduct: (product: string) => `Buy ${product}`,
  bought: (count: number) => n(count, { one: '# credit was added.', other: '# credits were added.' }),
  purchases: 'Your purchases',
  boughtAt: (product: string, time: string) => `${product}, ${time}`,
  refundAll: 'Refund all',
  refundHalf: 'Refund half',
  refunded: 'Refunded',
  refundedPart: (percentage: number) => `${percentage.toLocaleString('en')} % refunded`,
  refundSent: 'The purchase is refunded.',
  code: 'Code',
  codeHint: 'From a campaign or from support.',
  redeem: 'Redeem',
  redeeming: 'Redeeming…',
  codeTooShort: (min: number) => `A code has at least ${min} letters and digits.`,
  redeemed: (count: number) => `The code has added ${credits(count)}.`,
  redeemedBefore: 'You have used this code before.',
  checkouts: {
    success: 'Thank you! The credits are added as soon as the payment is confirmed.',
    cancelled: 'You have cancelled the purchase. Nothing was paid.',
  },
};

export type ShopMessages = typeof shop;
