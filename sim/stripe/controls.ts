/** The simulator's controls over HTTP: for tests that serve it over a port. Stripe has nothing like it. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { SimulatorEnv } from '../drop-connection.ts';
import { faultShape } from '../faults.ts';
import type { StripeSimulator } from '../stripe.ts';

const amount = z.int().min(1).exactOptional();
const payment = z.object({ isDelayed: z.boolean().default(false) });
const refund = z.object({ amount, isPending: z.boolean().exactOptional() });
const dispute = z.object({ amount, isInquiry: z.boolean().exactOptional() });
const webhooks = z.object({
  url: z.url().nullable().optional(),
  isAutomatic: z.boolean().optional(),
  retryMs: z.int().min(0).optional(),
});

type Controls = StripeSimulator['controls'];
type Routes = Hono<SimulatorEnv>;

/** `/{sessions,payments,refunds,disputes,events,webhooks,faults,calls}`. What cannot be done is a 400 that says why. */
export function stripeControlRoutes({ controls }: Pick<StripeSimulator, 'controls'>): Routes {
  const routes: Routes = new Hono<SimulatorEnv>();
  addCustomers(routes, controls);
  addBanks(routes, controls);
  addStripe(routes, controls);
  routes.onError((error, c) =>
    c.json({ error: error instanceof z.ZodError ? z.prettifyError(error) : error.message }, 400),
  );
  return routes;
}

function addCustomers(routes: Routes, controls: Controls): void {
  routes.get('/sessions', (c) => c.json(controls.sessions()));
  routes.post('/sessions/:id/pay', async (c) =>
    c.json(await controls.pay(c.req.param('id'), payment.parse(await c.req.json()))),
  );
  routes.post('/sessions/:id/settle', async (c) => {
    const { hasArrived } = z.object({ hasArrived: z.boolean() }).parse(await c.req.json());
    return c.json(await controls.settle(c.req.param('id'), hasArrived));
  });
  routes.post('/sessions/:id/decline', async (c) => c.json(await controls.decline(c.req.param('id'))));
  routes.post('/sessions/:id/expire', async (c) => c.json(await controls.expire(c.req.param('id'))));
}

function addBanks(routes: Routes, controls: Controls): void {
  routes.post('/payments/:id/refund', async (c) => {
    const { id, events } = await controls.refund(c.req.param('id'), refund.parse(await c.req.json()));
    return c.json({ id, events });
  });
  routes.post('/refunds/:id/fail', async (c) => c.json(await controls.failRefund(c.req.param('id'))));
  routes.post('/payments/:id/dispute', async (c) =>
    c.json(await controls.dispute(c.req.param('id'), dispute.parse(await c.req.json()))),
  );
  routes.post('/disputes/:id/close', async (c) => {
    const { isWon } = z.object({ isWon: z.boolean() }).parse(await c.req.json());
    return c.json(await controls.closeDispute(c.req.param('id'), isWon));
  });
}

function addStripe(routes: Routes, controls: Controls): void {
  routes.get('/events', (c) => c.json(controls.events.list()));
  routes.post('/events/:id/deliver', async (c) => c.json({ status: await controls.events.deliver(c.req.param('id')) }));
  routes.get('/deliveries', (c) => c.json(controls.events.deliveries()));
  routes.put('/webhooks', async (c) => {
    const { url, isAutomatic, retryMs } = webhooks.parse(await c.req.json());
    if (url !== undefined) controls.setWebhookUrl(url);
    if (isAutomatic !== undefined) controls.events.setAutomatic(isAutomatic);
    if (retryMs !== undefined) controls.events.setRetryMs(retryMs);
    return c.body(null, 204);
  });
  routes.post('/faults', async (c) => {
    controls.plan(faultShape.parse(await c.req.json()));
    return c.body(null, 204);
  });
  routes.delete('/faults', (c) => {
    controls.clearFaults();
    return c.body(null, 204);
  });
  routes.get('/calls', (c) => c.json(controls.calls()));
}

/** The simulator's app with `/_control/…` beside Stripe's paths. */
export function withStripeControls(simulator: StripeSimulator): Routes {
  return new Hono<SimulatorEnv>().route('/_control', stripeControlRoutes(simulator)).route('/', simulator.app);
}
