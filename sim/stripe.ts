import { randomBytes } from 'node:crypto';
import type { Hono } from 'hono';
import { createCallLog } from './call-log.ts';
import type { SimulatorEnv } from './drop-connection.ts';
import { createFaults, type FaultInput } from './faults.ts';
import type { SimulatorOptions } from './provider-simulator.ts';
import { stripeApp } from './stripe/app.ts';
import { type Banks, createBanks } from './stripe/banks.ts';
import { addCheckoutPage } from './stripe/checkout-page.ts';
import { type Customers, createCustomers } from './stripe/customers.ts';
import { createEvents, type Events } from './stripe/events.ts';
import { type StripeObject, sessionJson } from './stripe/objects.ts';
import type { StripeCall, StripeOperation } from './stripe/parts.ts';
import { createStore } from './stripe/store.ts';

export type StripeControls = Customers &
  Banks & {
    /** A fault of the next requests; `on` is `create_session`, `payment_intent`, `refunds`, `disputes` … or `any`. */
    plan(fault: FaultInput): void;
    clearFaults(): void;
    /** Oldest first. */
    sessions(): StripeObject[];
    calls(): StripeCall[];
    events: Pick<Events, 'sign' | 'deliver' | 'list' | 'deliveries' | 'setAutomatic' | 'setRetryMs'>;
    /** Where events go from now on. */
    setWebhookUrl(url: string | null): void;
  };

export type StripeSimulator = {
  /** Stripe's own, which the adapter calls. */
  baseUrl: string;
  hosts: string[];
  app: Hono<SimulatorEnv>;
  credentials: { secretKey: string; webhookSecret: string };
  controls: StripeControls;
  /** Closes the connections that a fault keeps waiting, and sends no event again. */
  close(): Promise<void>;
};

export type StripeSimulatorOptions = Omit<SimulatorOptions, 'dataDir'> & {
  /** A live account instead of a test one. */
  isLive?: boolean;
};

const HOST = 'api.stripe.com';
const SECRET_BYTES = 24;

/** Stripe's part of the web shop. It keeps everything in memory: it is for tests, and sells nothing. */
export function createStripeSimulator(options: StripeSimulatorOptions): StripeSimulator {
  const { clock, log, deliver, isLive = false } = options;
  const secretKey = `sk_${isLive ? 'live' : 'test'}_${randomBytes(SECRET_BYTES).toString('hex')}`;
  const webhookSecret = `whsec_${randomBytes(SECRET_BYTES).toString('hex')}`;
  let webhookUrl: string | null = null;
  const stopping = new AbortController();
  const store = createStore({ clock, isLive });
  const url = () => webhookUrl;
  const events = createEvents({ store, secret: webhookSecret, url, deliver, clock, log, closing: stopping.signal });
  const customers = createCustomers(store, events);
  const banks = createBanks(store, events);
  const faults = createFaults();
  const calls = createCallLog<StripeOperation>(faults);
  const app = stripeApp({ store, banks, calls, secretKey, log });
  addCheckoutPage(app, { store, customers });
  return {
    baseUrl: `https://${HOST}`,
    hosts: [HOST],
    app,
    credentials: { secretKey, webhookSecret },
    controls: {
      ...customers,
      ...banks,
      plan: faults.plan,
      clearFaults: faults.clear,
      sessions: () => store.sessions().map((session) => sessionJson(session, store)),
      calls: calls.list,
      events,
      setWebhookUrl(next) {
        webhookUrl = next;
      },
    },
    async close() {
      stopping.abort();
      faults.close();
      await events.close();
    },
  };
}
