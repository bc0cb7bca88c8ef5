/** The simulator's controls over HTTP: for tests that serve it over a port, and for its page. Apple has nothing like it. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { AppleIdSimulator } from '../apple-id.ts';
import type { SimulatorEnv } from '../drop-connection.ts';
import { faultShape } from '../faults.ts';
import { deliveryShape } from './notifier.ts';
import { newPersonShape } from './people.ts';
import { NOTIFICATION_TYPES, tokenFormShape } from './tokens.ts';

const clientId = z.string().min(1);
const ofClient = deliveryShape.extend({ clientId: clientId.optional() });
const authorization = z.object({
  personId: z.uuid(),
  clientId: clientId.optional(),
  nonce: z.string().nullish(),
  hidesEmail: z.boolean().optional(),
  redirectUri: z.string().nullish(),
});
const notification = ofClient.extend({ type: z.enum(NOTIFICATION_TYPES) });
const forwarding = deliveryShape.extend({ isForwarding: z.boolean() });
const keysChange = z.object({
  rotate: z.object({ keepOld: z.boolean() }).optional(),
  trust: z.object({ teamId: z.string(), keyId: z.string(), publicKeyPem: z.string() }).optional(),
});
const newClient = z.object({
  clientId,
  teamId: z.string().exactOptional(),
  isAuthorized: z.boolean().exactOptional(),
});
const { flags, issuer, lifetimeSeconds } = tokenFormShape.shape;
const tokenForm = z.object({
  flags: flags.exactOptional(),
  issuer: issuer.exactOptional(),
  lifetimeSeconds: lifetimeSeconds.exactOptional(),
});
const notificationSettings = z.object({ url: z.url().optional(), retryMs: z.int().min(0).optional() });

type Controls = AppleIdSimulator['controls'];
type Routes = Hono<SimulatorEnv>;

/** `/{people,authorizations,clients,keys,token-form,notifications,faults,calls}`. What cannot be done is a 400 that says why. */
export function appleIdControlRoutes({ controls }: Pick<AppleIdSimulator, 'controls'>): Routes {
  const routes: Routes = new Hono<SimulatorEnv>();
  addPeople(routes, controls);
  addApple(routes, controls);
  routes.onError((error, c) =>
    c.json({ error: error instanceof z.ZodError ? z.prettifyError(error) : error.message }, 400),
  );
  return routes;
}

function addPeople(routes: Routes, controls: Controls): void {
  routes.get('/people', async (c) => c.json(await controls.people()));
  routes.post('/people', async (c) => c.json(await controls.createPerson(newPersonShape.parse(await c.req.json()))));
  routes.post('/authorizations', async (c) =>
    c.json(await controls.authorize(authorization.parse(await c.req.json()))),
  );
  routes.post('/people/:id/notifications', async (c) => {
    const { type, ...options } = notification.parse(await c.req.json());
    return c.json(await controls.notify(c.req.param('id'), type, options));
  });
  routes.post('/people/:id/withdraw-consent', async (c) =>
    c.json(await controls.withdrawConsent(c.req.param('id'), ofClient.parse(await c.req.json()))),
  );
  routes.post('/people/:id/delete', async (c) =>
    c.json(await controls.deleteAppleAccount(c.req.param('id'), deliveryShape.parse(await c.req.json()))),
  );
  routes.post('/people/:id/forwarding', async (c) => {
    const { isForwarding, ...options } = forwarding.parse(await c.req.json());
    return c.json(await controls.setForwarding(c.req.param('id'), isForwarding, options));
  });
}

function addApple(routes: Routes, controls: Controls): void {
  routes.get('/clients', (c) => c.json(controls.clients()));
  routes.post('/clients', async (c) => {
    controls.addClient(newClient.parse(await c.req.json()));
    return c.body(null, 204);
  });
  routes.post('/keys', async (c) => {
    const { rotate, trust } = keysChange.parse(await c.req.json());
    if (rotate) await controls.rotateKeys(rotate);
    if (trust) await controls.trust(trust);
    return c.body(null, 204);
  });
  routes.put('/token-form', async (c) => {
    controls.setTokenForm(tokenForm.parse(await c.req.json()));
    return c.body(null, 204);
  });
  routes.put('/notifications', async (c) => {
    const { url, retryMs } = notificationSettings.parse(await c.req.json());
    if (url !== undefined) controls.setNotificationsUrl(url);
    if (retryMs !== undefined) controls.setNotificationRetryMs(retryMs);
    return c.body(null, 204);
  });
  routes.get('/notifications', (c) => c.json(controls.deliveries()));
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

/** The simulator's app with `/_control/…` beside Apple's paths. */
export function withAppleIdControls(simulator: AppleIdSimulator): Routes {
  return new Hono<SimulatorEnv>().route('/_control', appleIdControlRoutes(simulator)).route('/', simulator.app);
}
