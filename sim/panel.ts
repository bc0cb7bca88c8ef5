/** The part of a control panel over HTTP that every video vendor's simulator shares. No vendor has anything like it. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { SimulatorEnv } from './cut.ts';
import { type FaultInput, faultShape } from './faults.ts';
import { type Pace, paceShape } from './pace.ts';

export type SharedControls<Outcome> = {
  plan(fault: FaultInput): void;
  clearFaults(): void;
  planOutcomes(...outcomes: Outcome[]): void;
  setPace(pace: Partial<Pace>): void;
  start(id: string): Promise<void>;
  finish(id: string): Promise<void>;
  jobs(): Promise<object[]>;
  calls(): object[];
};

const { queueMs, runMs } = paceShape.shape;
const paceChange = z.object({ queueMs: queueMs.exactOptional(), runMs: runMs.exactOptional() });

/** `/_control/{faults,outcomes,pace,jobs,calls}`. */
export function panelFor<Outcome>(
  controls: SharedControls<Outcome>,
  outcomeShape: z.ZodType<Outcome>,
): Hono<SimulatorEnv> {
  const panel = new Hono<SimulatorEnv>().basePath('/_control');
  panel.post('/faults', async (c) => {
    controls.plan(faultShape.parse(await c.req.json()));
    return c.body(null, 204);
  });
  panel.delete('/faults', (c) => {
    controls.clearFaults();
    return c.body(null, 204);
  });
  panel.post('/outcomes', async (c) => {
    controls.planOutcomes(...z.array(outcomeShape).parse(await c.req.json()));
    return c.body(null, 204);
  });
  panel.put('/pace', async (c) => {
    controls.setPace(paceChange.parse(await c.req.json()));
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
  return panel;
}
