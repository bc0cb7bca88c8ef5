/** The web shop: Stripe Checkout and its webhooks. */
import { headerParameter, jsonContent } from '../../../http/openapi.ts';
import { publicRoute, userRoute } from '../../../http/route.ts';
import { Checkout, CreateCheckoutBody, EVENT_BYTES_MAX, StripeEvent, StripeReceived } from './stripe-schemas.ts';

const PRODUCT = 'com.rendio.credits.10';

export const CREATE_CHECKOUT = userRoute({
  method: 'post',
  path: '/functions/v1/create-checkout',
  tags: ['Purchases'],
  operationId: 'createCheckout',
  summary: 'Buy credits on the web',
  description:
    'Opens a page of Stripe’s at which the product is paid; send the user there. The credits arrive a moment after the payment, ' +
    'as a `credits` event of `job-events`. The price is this server’s own. With an `Idempotency-Key`, a repeat within 24 hours ' +
    'returns the same page. Where there is no web shop: 501.',
  parameters: [
    headerParameter('Idempotency-Key', 'A UUID that the client creates, with or without double quotes.', {
      format: 'uuid',
    }),
  ],
  request: {
    body: jsonContent(CreateCheckoutBody, {
      one: { summary: 'One', value: { product_id: PRODUCT } },
      several: { summary: 'Several', value: { product_id: PRODUCT, quantity: 3 } },
    }),
  },
  answer: {
    schema: Checkout,
    description: 'Where the user pays',
    example: { url: 'https://checkout.stripe.com/c/pay/cs_live_a1b2c3' },
    errors: ['ERR_4009', 'ERR_4017', 'ERR_5006'],
    details: { ERR_4006: { field: 'product_id' }, ERR_4017: { feature: 'web-shop' } },
  },
});

export const STRIPE_WEBHOOK = publicRoute({
  method: 'post',
  path: '/functions/v1/stripe-webhook',
  tags: ['Operations'],
  operationId: 'stripeWebhook',
  summary: 'Receive an event of Stripe',
  description:
    'The URL of the webhook endpoint at Stripe. An event is verified by `Stripe-Signature` over the raw body, recorded once and ' +
    'processed in the background. Payments give credits; after refunds and disputes Stripe is asked what has gone back, and as ' +
    'much is taken from the credits, or given back. Events about anything else have no effect.',
  parameters: [
    headerParameter('Stripe-Signature', 'Stripe’s own signature, at most five minutes old.', { required: true }),
  ],
  documents: {
    body: jsonContent(StripeEvent, {
      paid: {
        summary: 'As Stripe sends it, shortened',
        value: {
          id: 'evt_1QxYz',
          type: 'checkout.session.completed',
          created: 1_795_516_200,
          data: { object: { object: 'checkout.session', payment_status: 'paid', payment_intent: 'pi_3QxYz' } },
        },
      },
    }),
  },
  answer: {
    schema: StripeReceived,
    description: 'The event is recorded',
    example: { success: true },
    errors: ['ERR_4005', 'ERR_4006', 'ERR_4014', 'ERR_4017'],
    details: {
      ERR_4005: { reason: 'signature' },
      ERR_4006: { field: 'body' },
      ERR_4014: { field: 'body', bytes_max: EVENT_BYTES_MAX },
      ERR_4017: { feature: 'web-shop' },
    },
  },
});
