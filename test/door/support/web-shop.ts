/** Run by Deno: sells at the Stripe that its input names, verifies an event, and prints what it got. */
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { createStripePayments } from '../../../src/payments/stripe/index.ts';

const { baseUrl, secretKey, webhookSecret, body, header } = JSON.parse(await text(process.stdin));
const clock = { now: () => new Date() };
const payments = createStripePayments({ secretKey, webhookSecret, baseUrl, fetch, clock });
const request = {
  userId: crypto.randomUUID(),
  productId: 'com.rendio.credits.10',
  displayName: '10 credits',
  quantity: 1,
  priceCents: 299,
  currency: 'usd',
  successUrl: 'https://shop.example/?checkout=success',
  cancelUrl: 'https://shop.example/?checkout=cancelled',
  idempotencyKey: crypto.randomUUID(),
};
const signal = AbortSignal.timeout(30_000);
const seen = {
  checkout: (await payments.createCheckout(request, signal)).outcome,
  unknown: (await payments.fetchPayment('pi_unknown', signal)).outcome,
  genuine: Object(await payments.verifyWebhook(body, header)).event,
  changed: await payments.verifyWebhook(`${body} `, header),
};
console.log(JSON.stringify(seen));
