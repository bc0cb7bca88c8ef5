/** The control panel over HTTP, for a simulator that a test serves over a port. fal has nothing like it. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { SimulatorEnv } from '../cut.ts';
import type { FalSimulator } from '../fal.ts';
import { faultShape } from '../faults.ts';
import { outcomeShape } from './outcome.ts';
import { paceShape } from './queue.ts';
import { webhookFaultShape } from './webhooks.ts';

const { queueMs, runMs } = paceShape.shape;
const paceChange = z.object({
  queueMs: queueMs.exactOptional(),
  runMs: runMs.exactOptional(),
  webhookRetryMs: z.int().min(0).optional(),
});
const keysChange = z.object({ apiKey: z.string().optional(), rotate: z.object({ keepOld: z.boolean() }).optional() });

/** The simulator's app with `/_control/{faults,webhooks,outcomes,pace,jobs,calls,deliveries,keys}` beside fal's paths. */
export function withFalControls({ app, controls }: FalSimulator): Hono<SimulatorEnv> {
  const panel = new Hono<SimulatorEnv>().basePath('/_control');
  panel.post('/faults', async (c) => {
    controls.plan(faultShape.parse(await c.req.json()));
    return c.body(null, 204);
  });
  panel.delete('/faults', (c) => {
    controls.clearFaults();
    return c.body(null, 204);
  });
  panel.post('/webhooks', async (c) => {
    controls.planWebhooks(...z.array(webhookFaultShape).parse(await c.req.json()));
    return c.body(null, 204);
  });
  panel.post('/outcomes', async (c) => {
    controls.planOutcomes(...z.array(outcomeShape).parse(await c.req.json()));
    return c.body(null, 204);
  });
  panel.put('/pace', async (c) => {
    const { webhookRetryMs, ...pace } = paceChange.parse(await c.req.json());
    controls.setPace(pace);
    if (webhookRetryMs !== undefined) controls.setWebhookRetryMs(webhookRetryMs);
    return c.body(null, 204);
  });
  panel.get('/jobs', async (c) => c.json(await controls.jobs()));
  panel.post('/jobs/:id/start', async (c) => {
    await controls.start(c.req.param('id'));
    return c.body(null, 204);
  });
  panel.post('/jobs/:id/finish', async (c) => {
    await controls.finish(c.req.param('id'));
    return c.body(null, 204);
  });
  panel.get('/calls', (c) => c.json(controls.calls()));
  panel.get('/deliveries', (c) => c.json(controls.deliveries()));
  panel.post('/keys', async (c) => {
    const { apiKey, rotate } = keysChange.parse(await c.req.json());
    if (apiKey !== undefined) controls.addApiKey(apiKey);
    if (rotate) controls.rotateKeys(rotate);
    return c.body(null, 204);
  });
  return new Hono<SimulatorEnv>().route('/', panel).route('/', app);
}
