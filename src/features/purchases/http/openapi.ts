import { jsonContent } from '../../../http/openapi.ts';
import { publicRoute, userRoute } from '../../../http/route.ts';
import { CreditedPurchase, Done, NotificationBody, UpdateCreditsBody } from './schemas.ts';

const SIGNED = 'eyJhbGciOiJFUzI1NiIsIng1YyI6WyLigKYiXX0.eyJ0cmFuc2FjdGlvbklkIjoiMjAwMDAwMDEyMzQ1Njc4OSJ9.c2ln';

export const UPDATE_CREDITS = userRoute({
  method: 'post',
  path: '/functions/v1/update-credits',
  tags: ['Purchases'],
  operationId: 'updateCredits',
  summary: 'Credit an App Store purchase',
  description:
    'Credits a purchase to the caller: by the transaction’s id, or by the transaction as StoreKit 2 signed it; exactly one of the ' +
    'two. The App Store’s signature, the app, the environment, the product and the owner (`appAccountToken`) are checked. A purchase ' +
    'is credited once, for ever; a repeat by its owner is a success with `credits_added: 0`. Finish the transaction in StoreKit after ' +
    'a 200, after an `ERR_4012`, and after an `ERR_4011` unless its reason is `product` or `unknown`. Otherwise report it again later.',
  request: {
    body: jsonContent(UpdateCreditsBody, {
      id: { summary: 'By its id', value: { transaction_id: '2000000123456789' } },
      signed: { summary: 'As StoreKit 2 signed it', value: { signed_transaction: SIGNED } },
    }),
  },
  answer: {
    schema: CreditedPurchase,
    description: 'The purchase is credited',
    example: { success: true, credits_added: 50, credits_remaining: 59, total_credits: 59 },
    headers: ['IdempotentReplay'],
    errors: ['ERR_4009', 'ERR_4011', 'ERR_4012', 'ERR_4017', 'ERR_5006'],
    details: {
      ERR_4006: { field: 'transaction_id', reason: 'missing' },
      ERR_4011: { field: 'transaction_id', reason: 'product' },
    },
  },
});

export const APP_STORE_NOTIFICATIONS = publicRoute({
  method: 'post',
  path: '/functions/v1/apple-server-notifications',
  tags: ['Operations'],
  operationId: 'appleServerNotifications',
  summary: 'Receive the App Store’s notifications',
  description:
    'The address of App Store Server Notifications, version 2. A notification is verified, recorded once and answered; the worker ' +
    'then credits purchases, takes back what was refunded, gives back what a reversed refund had taken, and answers consumption ' +
    'requests. Notifications may arrive in any order and more than once.',
  request: {
    body: jsonContent(NotificationBody, {
      notification: { summary: 'As the App Store sends it', value: { signedPayload: SIGNED } },
    }),
  },
  answer: {
    schema: Done,
    description: 'The notification is recorded',
    example: { success: true },
    errors: ['ERR_4005', 'ERR_4017', 'ERR_5006'],
    details: { ERR_4005: { reason: 'signature' }, ERR_4006: { field: 'signedPayload', reason: 'missing' } },
  },
});
