/** The simulator's controls over HTTP: for tests that serve it over a port, and for its page. Apple has nothing like it. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { AppStoreSimulator } from '../app-store.ts';
import type { SimulatorEnv } from '../drop-connection.ts';
import { faultShape } from '../faults.ts';
import { deliveryPlanShape } from './delivery-plans.ts';
import { CONSUMPTION_REQUEST_REASONS } from './notifications.ts';
import { ENVIRONMENTS, purchaseShape } from './transactions.ts';

const refund = z.object({
  percentage: z.number().optional(),
  reason: z.union([z.literal(0), z.literal(1)]).optional(),
});
const consumptionRequest = z.object({ reason: z.enum(CONSUMPTION_REQUEST_REASONS).optional() });
const notice = z.object({
  type: z.string().min(1),
  subtype: z.string().optional(),
  environment: z.enum(ENVIRONMENTS).optional(),
  transactionId: z.string().optional(),
});
const testNotice = z.object({ environment: z.enum(ENVIRONMENTS).optional() });
const settings = z.object({ url: z.url().optional(), retryMs: z.int().min(0).optional() });
const release = z.object({ isReleased: z.boolean() });

type Controls = AppStoreSimulator['controls'];
type Routes = Hono<SimulatorEnv>;

/** `/{transactions,notifications,deliveries,consumption,faults,calls,release,sign}`. What cannot be done is a 400 that says why. */
export function appStoreControlRoutes({ controls }: Pick<AppStoreSimulator, 'controls'>): Routes {
  const routes: Routes = new Hono<SimulatorEnv>();
  addTransactions(routes, controls);
  addNotifications(routes, controls);
  addApi(routes, controls);
  routes.onError(answerWithReason);
  return routes;
}

/** A 400 that says why. */
export function answerWithReason(error: Error): Response {
  const reason = error instanceof z.ZodError ? z.prettifyError(error) : error.message;
  return Response.json({ error: reason }, { status: 400 });
}

function addTransactions(routes: Routes, controls: Controls): void {
  routes.get('/transactions', async (c) => c.json(await controls.transactions()));
  routes.post('/transactions', async (c) => c.json(await controls.buy(purchaseShape.parse(await c.req.json()))));
  routes.post('/transactions/:id/refund', async (c) =>
    c.json(await controls.refund(c.req.param('id'), refund.parse(await c.req.json()))),
  );
  routes.post('/transactions/:id/reverse-refund', async (c) => c.json(await controls.reverseRefund(c.req.param('id'))));
  routes.post('/transactions/:id/decline-refund', async (c) => c.json(await controls.declineRefund(c.req.param('id'))));
  routes.post('/transactions/:id/revoke', async (c) => c.json(await controls.revoke(c.req.param('id'))));
  routes.post('/transactions/:id/consumption-request', async (c) => {
    const { reason } = consumptionRequest.parse(await c.req.json());
    return c.json(await controls.askForConsumption(c.req.param('id'), reason));
  });
  routes.get('/consumption', async (c) => c.json(await controls.consumption()));
}

function addNotifications(routes: Routes, controls: Controls): void {
  routes.get('/notifications', async (c) => c.json(await controls.notifications()));
  routes.post('/notifications', async (c) => c.json(await controls.notify(notice.parse(await c.req.json()))));
  routes.post('/notifications/test', async (c) => {
    const { environment } = testNotice.parse(await c.req.json());
    return c.json(await controls.sendTest(environment));
  });
  routes.put('/notifications', async (c) => {
    const { url, retryMs } = settings.parse(await c.req.json());
    if (url !== undefined) controls.setNotificationsUrl(url);
    if (retryMs !== undefined) controls.setNotificationRetryMs(retryMs);
    return c.body(null, 204);
  });
  routes.post('/deliveries', async (c) => {
    controls.planDelivery(deliveryPlanShape.parse(await c.req.json()));
    return c.body(null, 204);
  });
  routes.delete('/deliveries', (c) => {
    controls.clearDeliveryPlans();
    return c.body(null, 204);
  });
}

function addApi(routes: Routes, controls: Controls): void {
  routes.post('/faults', async (c) => {
    controls.plan(faultShape.parse(await c.req.json()));
    return c.body(null, 204);
  });
  routes.delete('/faults', (c) => {
    controls.clearFaults();
    return c.body(null, 204);
  });
  routes.get('/calls', (c) => c.json(controls.calls()));
  routes.put('/release', async (c) => {
    controls.setReleased(release.parse(await c.req.json()).isReleased);
    return c.body(null, 204);
  });
  routes.post('/sign', async (c) => {
    const payload = z.record(z.string(), z.unknown()).parse(await c.req.json());
    return c.json({ signed: await controls.sign(payload) });
  });
}

/** Apple's two hosts below `/production` and `/sandbox`, with `/_control/…` beside them. */
export function withAppStoreControls(simulator: AppStoreSimulator): Routes {
  const routes: Routes = new Hono<SimulatorEnv>().route('/_control', appStoreControlRoutes(simulator));
  for (const name of ['production', 'sandbox'] as const) {
    const app = simulator.apps.get(new URL(simulator.urls[name]).host);
    if (app) routes.route(`/${name}`, app);
  }
  return routes;
}
