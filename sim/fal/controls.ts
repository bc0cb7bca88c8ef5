/** The control panel over HTTP, for a simulator that a test serves over a port. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { SimulatorEnv } from '../cut.ts';
import type { FalSimulator } from '../fal.ts';
import { panelFor } from '../panel.ts';
import { outcomeShape } from './outcome.ts';
import { webhookFaultShape } from './webhooks.ts';

const retryChange = z.object({ webhookRetryMs: z.int().min(0).optional() });
const keysChange = z.object({ apiKey: z.string().optional(), rotate: z.object({ keepOld: z.boolean() }).optional() });

/** The simulator's app with `/_control/{faults,webhooks,outcomes,pace,jobs,calls,deliveries,keys}` beside fal's paths. */
export function withFalControls({ app, controls }: FalSimulator): Hono<SimulatorEnv> {
  const panel = new Hono<SimulatorEnv>().basePath('/_control');
  panel.post('/webhooks', async (c) => {
    controls.planWebhooks(...z.array(webhookFaultShape).parse(await c.req.json()));
    return c.body(null, 204);
  });
  panel.put('/pace', async (c, next) => {
    const { webhookRetryMs } = retryChange.parse(await c.req.json());
    if (webhookRetryMs !== undefined) controls.setWebhookRetryMs(webhookRetryMs);
    await next();
  });
  panel.get('/deliveries', (c) => c.json(controls.deliveries()));
  panel.post('/keys', async (c) => {
    const { apiKey, rotate } = keysChange.parse(await c.req.json());
    if (apiKey !== undefined) controls.addApiKey(apiKey);
    if (rotate) controls.rotateKeys(rotate);
    return c.body(null, 204);
  });
  const shared = panelFor(controls, outcomeShape);
  return new Hono<SimulatorEnv>().route('/', panel).route('/', shared).route('/', app);
}
