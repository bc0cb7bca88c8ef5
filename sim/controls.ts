/** The controls over HTTP that every provider's simulator has. The vendors have nothing like it. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { SimulatorEnv } from './drop-connection.ts';
import { type FaultInput, faultShape } from './faults.ts';
import { type Timing, timingShape } from './timing.ts';

export type SharedControls<Outcome> = {
  plan(fault: FaultInput): void;
  clearFaults(): void;
  planOutcomes(...outcomes: Outcome[]): void;
  setTiming(timing: Partial<Timing>): void;
  start(id: string): Promise<void>;
  finish(id: string): Promise<void>;
  jobs(): Promise<object[]>;
  calls(): object[];
};

const { queueMs, runMs } = timingShape.shape;
const timingChange = z.object({ queueMs: queueMs.exactOptional(), runMs: runMs.exactOptional() });

/** `/_control/{faults,outcomes,timing,jobs,calls}`. */
export function sharedControlRoutes<Outcome>(
  controls: SharedControls<Outcome>,
  outcomeShape: z.ZodType<Outcome>,
): Hono<SimulatorEnv> {
  const routes = new Hono<SimulatorEnv>().basePath('/_control');
  routes.post('/faults', async (c) => {
    controls.plan(faultShape.parse(await c.req.json()));
    return c.body(null, 204);
  });
  routes.delete('/faults', (c) => {
    controls.clearFaults();
    return c.body(null, 204);
  });
  routes.post('/outcomes', async (c) => {
    controls.planOutcomes(...z.array(outcomeShape).parse(await c.req.json()));
    return c.body(null, 204);
  });
  routes.put('/timing', async (c) => {
    controls.setTiming(timingChange.parse(await c.req.json()));
    return c.body(null, 204);
  });
  routes.get('/jobs', async (c) => c.json(await controls.jobs()));
  routes.post('/jobs/:id/start', async (c) => {
    await controls.start(c.req.param('id'));
    return c.body(null, 204);
  });
  routes.post('/jobs/:id/finish', async (c) => {
    await controls.finish(c.req.param('id'));
    return c.body(null, 204);
  });
  routes.get('/calls', (c) => c.json(controls.calls()));
  return routes;
}
