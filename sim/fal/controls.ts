/** The simulator's controls over HTTP, for a test that serves it over a port. */
import { Hono } from 'hono';
import { z } from 'zod';
import { sharedControlRoutes } from '../controls.ts';
import type { SimulatorEnv } from '../drop-connection.ts';
import type { FalSimulator } from '../fal.ts';
import { outcomeShape } from './outcome.ts';
import { webhookFaultShape } from './webhook-faults.ts';

const retryChange = z.object({ webhookRetryMs: z.int().min(0).optional() });
const keysChange = z.object({ apiKey: z.string().optional(), rotate: z.object({ keepOld: z.boolean() }).optional() });

/** The simulator's app with `/_control/{faults,webhooks,outcomes,timing,jobs,calls,deliveries,keys}` beside fal's paths. */
export function withFalControls({ app, controls }: FalSimulator): Hono<SimulatorEnv> {
  const own = new Hono<SimulatorEnv>().basePath('/_control');
  own.post('/webhooks', async (c) => {
    controls.planWebhooks(...z.array(webhookFaultShape).parse(await c.req.json()));
    return c.body(null, 204);
  });
  own.put('/timing', async (c, next) => {
    const { webhookRetryMs } = retryChange.parse(await c.req.json());
    if (webhookRetryMs !== undefined) controls.setWebhookRetryMs(webhookRetryMs);
    await next();
  });
  own.get('/deliveries', (c) => c.json(controls.deliveries()));
  own.post('/keys', async (c) => {
    const { apiKey, rotate } = keysChange.parse(await c.req.json());
    if (apiKey !== undefined) controls.addApiKey(apiKey);
    if (rotate) controls.rotateKeys(rotate);
    return c.body(null, 204);
  });
  const shared = sharedControlRoutes(controls, outcomeShape);
  return new Hono<SimulatorEnv>().route('/', own).route('/', shared).route('/', app);
}
