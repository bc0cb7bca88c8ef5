/** The simulator's controls over HTTP, for a test that serves it over a port. Apple has nothing like it. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { DeviceCheckSimulator } from '../device-check.ts';
import type { SimulatorEnv } from '../drop-connection.ts';
import { faultShape } from '../faults.ts';

const bitsOfDevice = z.object({ device: z.string(), bit0: z.boolean(), bit1: z.boolean() });
const trustedKey = z.object({ teamId: z.string(), keyId: z.string(), publicKeyPem: z.string() });

/** The simulator's app with `/_control/{faults,devices,calls,keys}` beside Apple's paths. */
export function withControls({ app, controls }: DeviceCheckSimulator): Hono<SimulatorEnv> {
  const routes = new Hono<SimulatorEnv>().basePath('/_control');
  routes.post('/faults', async (c) => {
    controls.plan(faultShape.parse(await c.req.json()));
    return c.body(null, 204);
  });
  routes.delete('/faults', (c) => {
    controls.clearFaults();
    return c.body(null, 204);
  });
  routes.get('/devices', async (c) => c.json(await controls.devices()));
  routes.put('/devices', async (c) => {
    const { device, ...bits } = bitsOfDevice.parse(await c.req.json());
    await controls.setBits(device, bits);
    return c.body(null, 204);
  });
  routes.delete('/devices/:device', async (c) => {
    await controls.forget(c.req.param('device'));
    return c.body(null, 204);
  });
  routes.get('/calls', (c) => c.json(controls.calls()));
  routes.post('/keys', async (c) => {
    await controls.trust(trustedKey.parse(await c.req.json()));
    return c.body(null, 204);
  });
  return new Hono<SimulatorEnv>().route('/', routes).route('/', app);
}
