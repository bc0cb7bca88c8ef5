/** The simulator's controls over HTTP, for a test that serves it over a port. */
import { Hono } from 'hono';
import { z } from 'zod';
import { sharedControlRoutes } from '../controls.ts';
import type { SimulatorEnv } from '../drop-connection.ts';
import type { RunwaySimulator } from '../runway.ts';
import { outcomeShape } from './outcome.ts';

const accountChange = z.object({ apiKey: z.string().optional(), credits: z.int().min(0).optional() });

/** The simulator's app with `/_control/{faults,outcomes,timing,jobs,calls,uploads,account}` beside Runway's paths. */
export function withRunwayControls({ app, controls }: RunwaySimulator): Hono<SimulatorEnv> {
  const routes = sharedControlRoutes(controls, outcomeShape);
  routes.get('/uploads', async (c) => c.json(await controls.uploads()));
  routes.put('/account', async (c) => {
    const { apiKey, credits } = accountChange.parse(await c.req.json());
    if (apiKey !== undefined) controls.addApiKey(apiKey);
    if (credits !== undefined) controls.setCredits(credits);
    return c.body(null, 204);
  });
  return new Hono<SimulatorEnv>().route('/', routes).route('/', app);
}
