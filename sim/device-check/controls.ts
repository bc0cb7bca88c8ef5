/** The control panel over HTTP, for a simulator that a test serves over a port. Apple has nothing like it. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { SimulatorEnv } from '../cut.ts';
import type { DeviceCheckSimulator } from '../device-check.ts';
import { faultShape } from '../faults.ts';

const bitsOfDevice = z.object({ device: z.string(), bit0: z.boolean(), bit1: z.boolean() });
const trustedKey = z.object({ teamId: z.string(), keyId: z.string(), publicKeyPem: z.string() });

/** The simulator's app with `/_control/{faults,devices,calls,keys}` beside Apple's paths. */
export function withControls({ app, controls }: DeviceCheckSimulator): Hono<SimulatorEnv> {
  const panel = new Hono<SimulatorEnv>().basePath('/_control');
  panel.post('/faults', async (c) => {
    controls.plan(faultShape.parse(await c.req.json()));
    return c.body(null, 204);
  });
  panel.delete('/faults', (c) => {
    controls.clearFaults();
    return c.body(null, 204);
  });
  panel.get('/devices', async (c) => c.json(await controls.devices()));
  panel.put('/devices', async (c) => {
    const { device, ...bits } = bitsOfDevice.parse(await c.req.json());
    await controls.setBits(device, bits);
    return c.body(null, 204);
  });
  panel.delete('/devices/:device', async (c) => {
    await controls.forget(c.req.param('device'));
    return c.body(null, 204);
  });
  panel.get('/calls', (c) => c.json(controls.calls()));
  panel.post('/keys', async (c) => {
    await controls.trust(trustedKey.parse(await c.req.json()));
    return c.body(null, 204);
  });
  return new Hono<SimulatorEnv>().route('/', panel).route('/', app);
}
