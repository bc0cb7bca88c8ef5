/** The control panel over HTTP, for a simulator that a test serves over a port. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { SimulatorEnv } from '../cut.ts';
import { panelFor } from '../panel.ts';
import type { RunwaySimulator } from '../runway.ts';
import { outcomeShape } from './outcome.ts';

const accountChange = z.object({ apiKey: z.string().optional(), credits: z.int().min(0).optional() });

/** The simulator's app with `/_control/{faults,outcomes,pace,jobs,calls,uploads,account}` beside Runway's paths. */
export function withRunwayControls({ app, controls }: RunwaySimulator): Hono<SimulatorEnv> {
  const panel = panelFor(controls, outcomeShape);
  panel.get('/uploads', async (c) => c.json(await controls.uploads()));
  panel.put('/account', async (c) => {
    const { apiKey, credits } = accountChange.parse(await c.req.json());
    if (apiKey !== undefined) controls.addApiKey(apiKey);
    if (credits !== undefined) controls.setCredits(credits);
    return c.body(null, 204);
  });
  return new Hono<SimulatorEnv>().route('/', panel).route('/', app);
}
